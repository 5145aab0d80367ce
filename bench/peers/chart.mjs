// A picture of a sweep: milliseconds an engine takes for each network, on a logarithmic axis.
import { merge } from './report.mjs';

const SERIES = [
  { name: 'kdequant, 4-bit', of: 'kdequant/w4a8/relaxed', colour: '#c2410c', mark: 'circle' },
  { name: 'LiteRT.js, int8', of: 'litert/int8/relaxed', colour: '#1d4ed8', mark: 'square' },
  { name: 'kdequant, float', of: 'kdequant/f32/relaxed', colour: '#c2410c', mark: 'ring' },
  { name: 'LiteRT.js, float', of: 'litert/f32/relaxed', colour: '#1d4ed8', mark: 'frame' },
  { name: 'ONNX Runtime Web, int8', of: 'ort-web/int8/simd128', colour: '#15803d', mark: 'triangle' },
  { name: 'ONNX Runtime Web, float', of: 'ort-web/f32/simd128', colour: '#15803d', mark: 'outline' },
  { name: 'TensorFlow.js, float', of: 'tfjs/f32/simd128', colour: '#6b21a8', mark: 'diamond' },
];
const NAMES = {
  alexnet: 'AlexNet',
  vgg16: 'VGG-16',
  resnet18: 'ResNet-18',
  resnet50: 'ResNet-50',
  squeezenet1_1: 'SqueezeNet 1.1',
  mobilenetv2: 'MobileNetV2',
  efficientnet_lite0: 'EfficientNet-Lite0',
};
const [WIDTH, LEFT, RIGHT, TOP, ROW, LEGEND_ROW, SIZE] = [820, 150, 20, 92, 34, 20, 5];

function mark(shape, x, y, colour) {
  const [filled, hollow] = [`fill="${colour}"`, `fill="#fff" stroke="${colour}" stroke-width="2"`];
  const square = `x="${x - SIZE}" y="${y - SIZE}" width="${2 * SIZE}" height="${2 * SIZE}"`;
  const triangle = `points="${x},${y - SIZE - 1} ${x + SIZE + 1},${y + SIZE} ${x - SIZE - 1},${y + SIZE}"`;
  const marks = {
    circle: `<circle cx="${x}" cy="${y}" r="${SIZE + 1}" ${filled}/>`,
    ring: `<circle cx="${x}" cy="${y}" r="${SIZE}" ${hollow}/>`,
    square: `<rect ${square} ${filled}/>`,
    frame: `<rect ${square} ${hollow}/>`,
    triangle: `<polygon ${triangle} ${filled}/>`,
    outline: `<polygon ${triangle} ${hollow}/>`,
    diamond: `<rect ${square} ${filled} transform="rotate(45 ${x} ${y})"/>`,
  };
  return marks[shape];
}

/** Ticks at 1, 2, 5 times powers of ten that cover the values. */
function ticksOver(values) {
  const steps = [];
  for (let decade = 0.1; decade <= 100_000; decade *= 10) {
    for (const factor of [1, 2, 5]) steps.push(Number((factor * decade).toPrecision(1)));
  }
  const low = steps.findLast((step) => step <= Math.min(...values));
  const high = steps.find((step) => step >= Math.max(...values));
  return steps.filter((step) => step >= low && step <= high);
}

/** An SVG document of the column `quantity` ("best_ms", "median_ms", "cpu_ms"), said in words by `title`. */
export function chart(lines, quantity, title) {
  const rows = merge(lines).map((row) => ({ ...row, of: `${row.engine}/${row.variant}/${row.build}` }));
  const models = Object.keys(NAMES).filter((model) => rows.some((row) => row.model === model));
  const series = SERIES.filter(({ of }) => rows.some((row) => row.of === of));
  const shown = rows.filter(({ of, [quantity]: value }) => value > 0 && series.some((s) => s.of === of));
  const ticks = ticksOver(shown.map((row) => row[quantity]));
  const [low, high] = [Math.log(ticks[0]), Math.log(ticks.at(-1))];
  const x = (value) => Number((LEFT + ((Math.log(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT)).toFixed(1));
  const y = (index) => TOP + ROW * (index + 0.5);
  const bottom = TOP + ROW * models.length;
  const parts = [
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="12" y="22" font-size="15" font-weight="bold">${title}</text>`,
  ];
  for (const [i, { name, colour, mark: shape }] of series.entries()) {
    const [cx, cy] = [20 + (i % 4) * 195, 42 + Math.floor(i / 4) * LEGEND_ROW];
    parts.push(mark(shape, cx, cy, colour), `<text x="${cx + 12}" y="${cy + 4}">${name}</text>`);
  }
  for (const tick of ticks) {
    parts.push(
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${bottom}" stroke="#ddd"/>`,
      `<text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`,
    );
  }
  for (const [i, model] of models.entries()) {
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(i)}" y2="${y(i)}" stroke="#eee"/>`,
      `<text x="${LEFT - 10}" y="${y(i) + 4}" text-anchor="end">${NAMES[model]}</text>`,
    );
    // Ours last, on top.
    for (const { of, colour, mark: shape } of [...series].reverse()) {
      const row = shown.find((candidate) => candidate.model === model && candidate.of === of);
      if (row) parts.push(mark(shape, x(row[quantity]), y(i), colour));
    }
  }
  parts.push(`<text x="${LEFT}" y="${bottom + 36}">milliseconds, logarithmic</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 46}" font-family="sans-serif" font-size="12" fill="#222" role="img">
<title>${title}</title>
${parts.join('\n')}
</svg>
`;
}
