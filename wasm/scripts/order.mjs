// Puts functions that are alike beside each other. A compressor finds again what it has seen in the last 32 KB, and the linker's order
// has the instances of one template all over the file.

/** Instructions in a row that count as something in common. */
const gramLength = 6;
/** What the compressor remembers, as a share of a module: 28 KB of 340. */
const memory = 28 / 340;

/** `text`: a module as wasm-dis prints it. Returns the same with its functions in another order. */
export function order(text) {
  const { functions, rest } = parse(text);
  const place = rest.lastIndexOf(')');
  const ordered = orderOf(functions).flatMap((i) => functions[i]);
  return [...rest.slice(0, place), ...ordered, ...rest.slice(place)].join('\n');
}

/** The lines of each function, and all others. */
function parse(text) {
  const functions = [];
  const rest = [];
  let lines;
  for (const line of text.split('\n')) {
    if (line.startsWith(' (func ')) functions.push((lines = [line]));
    else if (lines && !line.startsWith(' (') && line !== ')') lines.push(line);
    else {
      lines = undefined;
      rest.push(line);
    }
  }
  return { functions, rest };
}

/** The largest first, then always the one that has most in common with those just before it. */
function orderOf(functions) {
  const { grams, count } = gramsOf(functions);
  const sizes = grams.map((list) => list.length + 1);
  const owners = Array.from({ length: count }, () => []);
  grams.forEach((list, i) => {
    for (const gram of list) owners[gram].push(i);
  });
  // Of the functions in sight: how often they have each gram, and how many of them each function has in common with all.
  const seen = new Uint32Array(count);
  const common = new Uint32Array(functions.length);
  const see = (i) => {
    for (const gram of grams[i]) if (seen[gram]++ === 0) for (const owner of owners[gram]) ++common[owner];
  };
  const forget = (i) => {
    for (const gram of grams[i]) if (--seen[gram] === 0) for (const owner of owners[gram]) --common[owner];
  };

  const furthest = memory * sizes.reduce((sum, size) => sum + size, 0);
  const left = new Set(functions.keys());
  const result = [];
  let first = 0;
  let inSight = 0;
  let next = sizes.indexOf(Math.max(...sizes));
  for (;;) {
    result.push(next);
    left.delete(next);
    if (left.size === 0) return result;
    see(next);
    inSight += sizes[next];
    for (; inSight - sizes[result[first]] >= furthest; ++first) {
      forget(result[first]);
      inSight -= sizes[result[first]];
    }
    next = mostAlike();
  }

  function mostAlike() {
    let best;
    let bestScore = -1;
    for (const i of left) {
      // A long function has something in common with any other.
      const score = common[i] / (Math.sqrt(sizes[i]) + 5);
      if (score > bestScore) [best, bestScore] = [i, score];
    }
    return best;
  }
}

/** What runs of lines each function has, as numbers below `count`. */
function gramsOf(functions) {
  const numbers = new Map();
  const grams = functions.map((lines) => {
    const instructions = lines.map((line) => line.trim());
    const found = new Set();
    for (let i = 0; i + gramLength <= instructions.length; ++i) {
      const gram = instructions.slice(i, i + gramLength).join('\n');
      if (!numbers.has(gram)) numbers.set(gram, numbers.size);
      found.add(numbers.get(gram));
    }
    return [...found];
  });
  return { grams, count: numbers.size };
}
