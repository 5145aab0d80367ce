// Moves constants that only the tools use out of the engine's module: texts, tables. wasm-split moves functions alone.
//
// A constant counts as used by the engine if its code, or a constant that it uses, holds a number that may be an address of it. What looks
// like an address and is none keeps a constant where it is, which costs bytes and nothing else. Both modules have the same memory, and the
// tools write theirs into it when they are instantiated, before anything of theirs runs.

/** Code may form an address from one a little before: in a loop that counts up first, or of a table whose first index is not 0. */
const reach = { text: 1, table: 16 };
/** Pointers among constants are to the beginning, to the functions of a virtual table, or to the end of a text that two share. */
const virtualFunctions = 8;
/** Not worth a segment of its own. */
const smallest = 8;

/** `engine`, `tools`: modules as wasm-dis prints them; `map`: the linker's map of both in one. Returns the modules' texts. */
export function moveData({ engine, tools, map }) {
  const { segments, lines } = readSegments(engine);
  const memory = memoryOf(segments);
  const constants = readConstants(map, memory);
  const code = lines.filter((line) => !/^ \(data |\(memory\.(init|fill)/.test(line)).join('\n');
  const used = usedConstants(constants, memory, numbersIn(code));
  const texts = unusedRuns(constants, used).map(({ start, end }, i) => {
    const text = ` (data $moved${i} (i32.const ${start}) "${escape(memory.slice(start, end))}")`;
    memory.fill(0, start, end);
    return text;
  });
  for (const { line, start, length, head } of segments)
    lines[line] = `${head}"${escape(memory.slice(start, start + length))}")`;
  const place = tools.indexOf('\n (func ');
  return {
    engine: lines.join('\n'),
    tools: [tools.slice(0, place), ...texts].join('\n') + tools.slice(place),
  };
}

/** A module's segments of data: where they are in its text and in memory, and what they hold. */
function readSegments(text) {
  const lines = text.split('\n');
  // Segments of a memory that threads share are written by the module's code.
  const written = [...text.matchAll(/\(memory\.init (\S+)\s+\(i32\.const (\d+)\)\s+\(i32\.const 0\)/g)];
  const places = new Map(written.map(([, name, place]) => [name, Number(place)]));
  const segments = lines.flatMap((content, line) => {
    const [, head, name, place, data] = /^( \(data (\S+) (?:\(i32\.const (\d+)\) )?)"(.*)"\)$/.exec(content) ?? [];
    if (head === undefined) return [];
    const bytes = unescape(data);
    const start = place === undefined ? places.get(name) : Number(place);
    if (start === undefined) throw new Error(`nothing says where the engine's data ${name} lie`);
    return [{ line, head, start, length: bytes.length, bytes }];
  });
  return { segments, lines };
}

function memoryOf(segments) {
  const memory = Buffer.alloc(Math.max(...segments.map(({ start, length }) => start + length)) + 8);
  for (const { start, bytes } of segments) bytes.copy(memory, start);
  return memory;
}

/** What the linker put into its section of constants, in order. It does not tell texts apart: zeros do. */
function readConstants(map, memory) {
  const constants = [];
  const inputs = /^ *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) {9}(\S+):\(\.rodata(\S*)\)$/gm;
  for (const [, address, size, file] of map.matchAll(inputs)) {
    const start = parseInt(address, 16);
    const end = start + parseInt(size, 16);
    if (file !== '<internal>') constants.push({ start, end, isText: false });
    else
      for (let at = start; at < end;) {
        const next = memory.indexOf(0, at) + 1;
        constants.push({ start: at, end: next, isText: true });
        at = next;
      }
  }
  if (constants.length === 0) throw new Error("there are no constants in the linker's map");
  return constants.filter(({ end }) => end <= memory.length).sort((a, b) => a.start - b.start);
}

/** Whatever may be an address in a module's code. */
function numbersIn(code) {
  const numbers = new Set();
  for (const [, number] of code.matchAll(/(?:\(i32\.const |\(i64\.const |offset=)(-?\d+)/g)) {
    numbers.add(Number(BigInt.asUintN(32, BigInt(number))));
    numbers.add(Number(BigInt.asUintN(32, BigInt(number) >> 32n)));
  }
  for (const [, lanes] of code.matchAll(/\(v128\.const i32x4 ([^)]*)\)/g))
    for (const lane of lanes.split(' ')) numbers.add(Number(lane));
  return numbers;
}

/** By their addresses. */
function usedConstants(constants, memory, numbers) {
  const used = new Set();
  const waiting = [];
  const use = (constant) => {
    if (used.has(constant.start)) return;
    used.add(constant.start);
    if (!constant.isText) waiting.push(constant);
  };
  for (const number of numbers)
    for (const constant of constants) {
      const before = constant.isText ? reach.text : reach.table;
      if (number >= constant.start - before && number <= constant.end) use(constant);
    }
  for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) {
    for (let at = Math.ceil(user.start / 4) * 4; at + 4 <= user.end; at += 4) {
      const pointer = memory.readUInt32LE(at);
      for (const constant of constants) {
        const offset = pointer - constant.start;
        const size = constant.end - constant.start;
        if (offset === 0 || offset === virtualFunctions || (constant.isText && offset > 0 && offset < size))
          use(constant);
      }
    }
  }
  return used;
}

/** The constants that are not used, neighbours in one with what is between them for alignment. */
function unusedRuns(constants, used) {
  const runs = [];
  let run;
  for (const { start, end } of constants) {
    if (used.has(start)) run = undefined;
    else if (run && start - run.end < 16) run.end = end;
    else runs.push((run = { start, end }));
  }
  return runs.filter(({ start, end }) => end - start >= smallest);
}

function unescape(text) {
  const special = { t: 9, n: 10, r: 13, '"': 34, "'": 39, '\\': 92 };
  const bytes = [];
  for (let i = 0; i < text.length; ++i) {
    if (text[i] !== '\\') bytes.push(text.charCodeAt(i));
    else if (text[++i] in special) bytes.push(special[text[i]]);
    else bytes.push(parseInt(text.slice(i, ++i + 1), 16));
  }
  return Buffer.from(bytes);
}

const escape = (bytes) => [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
