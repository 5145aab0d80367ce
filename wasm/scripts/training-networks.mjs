// Small networks that show which functions of the engine a quantized network needs (scripts/split.mjs): between them they have
// the layers that image networks are made of today, and every way in which a quantized network is written.
import { initializer, input, int, ints, model, node, output, weights } from '../../scripts/lib/onnx.mjs';

/** Float networks as ONNX files, each with options for `quantize`. */
export function trainingNetworks() {
  return [
    { network: plainNetwork(), labels: '', labelSet: '', options: {} },
    { network: plainNetwork(), labels: 'one\ntwo', labelSet: '', options: { granularity: 'tensor' } },
    { network: residualNetwork(), labels: '', labelSet: 'imagenet', options: { widen: 0.5 } },
    { network: residualNetwork(), labels: '', labelSet: '', options: { granularity: 'channel' } },
    { network: invertedNetwork(), labels: '', labelSet: '', options: {} },
    { network: fireNetwork().finish(), labels: '', labelSet: '', options: { effort: 'best' } },
    { network: fireNetwork().softmax().finish(), labels: '', labelSet: '', options: {} },
  ].map(({ options, ...rest }) => ({ ...rest, options: { effort: 'default', pictures: 2, ...options } }));
}

/** A chain of layers, as AlexNet and VGG are. */
function plainNetwork() {
  const net = new Network(48);
  net.conv(16, 11, { stride: 4, pad: 2 }).relu().maxPool(3, 2);
  net.conv(24, 5, { pad: 2 }).relu();
  net.conv(24, 3, { pad: 1, group: 2 }).relu().conv(16, 3, { pad: 1 }).relu().maxPool(2, 2);
  return net.flatten().product(32).relu().product(10).finish();
}

/** Sums around bottlenecks, as in a ResNet; the first sum is behind an activation, which no layer takes into itself. */
function residualNetwork() {
  const net = new Network(64);
  net.conv(16, 7, { stride: 2, pad: 3 }).relu().maxPool(3, 2, { pad: 1 });
  const stem = net.at;
  net.conv(16, 3, { pad: 1 }).relu().add(stem);
  for (const stride of [1, 1, 1, 2, 1, 1, 1, 2, 1, 1]) {
    const start = net.at;
    const shortcut = start.channels === 32 && stride === 1 ? start : net.conv(32, 1, { stride }).at;
    net.goTo(start).conv(16, 1).relu().conv(16, 3, { stride, pad: 1 }).relu().conv(32, 1).add(shortcut).relu();
  }
  return net.mean().flatten().product(1000).finish();
}

/** Inverted bottlenecks with depthwise layers, as MobileNetV2 and EfficientNet-Lite have. */
function invertedNetwork() {
  const net = new Network(64);
  net.conv(16, 3, { stride: 2, pads: [0, 0, 1, 1] }).clip();
  for (const [kernel, stride] of [
    [3, 1],
    [5, 1],
    [3, 2],
    [5, 2],
  ]) {
    const start = net.at;
    net.conv(48, 1).clip();
    net.conv(48, kernel, { stride, pad: (kernel - 1) / 2, group: 48 }).clip();
    net.conv(16, 1);
    if (stride === 1) net.add(start);
  }
  return net.conv(64, 1).clip().mean().flatten().product(10).finish();
}

/** Parts side by side, as in SqueezeNet; the answer is a mean. */
function fireNetwork() {
  const net = new Network(64);
  net.conv(16, 3, { stride: 2 }).relu().maxPool(3, 2, { ceil: 1 });
  for (let fire = 0; fire < 2; ++fire) {
    const squeezed = net.conv(8, 1).relu().at;
    const narrow = net.conv(16, 1).relu().at;
    net.goTo(squeezed).conv(16, 3, { pad: 1 }).relu().concat([narrow, net.at]);
  }
  return net.conv(10, 1).relu().mean().flatten();
}

/** Layers one after another, from a square picture on. */
class Network {
  #parts = [];
  #names = 0;
  #inputSide;
  at = { name: 'x', channels: 3, side: 0 };

  constructor(side) {
    this.#inputSide = side;
    this.at.side = side;
  }

  goTo(at) {
    this.at = at;
    return this;
  }

  conv(channels, kernel, { stride = 1, pad = 0, pads = [pad, pad, pad, pad], group = 1 } = {}) {
    const columns = (this.at.channels / group) * kernel * kernel;
    const side = Math.floor((this.at.side + pads[0] + pads[2] - kernel) / stride) + 1;
    const constants = this.#constants([channels, this.at.channels / group, kernel, kernel], columns);
    const attributes = [
      ints('kernel_shape', [kernel, kernel]),
      ints('strides', [stride, stride]),
      ints('pads', pads),
      int('group', group),
    ];
    return this.#add('Conv', { channels, side }, constants, ...attributes);
  }

  product(units) {
    const constants = this.#constants([units, this.at.channels], this.at.channels);
    return this.#add('Gemm', { channels: units }, constants, int('transB', 1));
  }

  relu() {
    return this.#add('Relu');
  }

  clip() {
    if (!this.#parts.some(({ name }) => name === 'low'))
      for (const [name, value] of [
        ['low', 0],
        ['high', 6],
      ])
        this.#parts.push({ name, part: initializer(name, [], [value]) });
    return this.#add('Clip', {}, ['low', 'high']);
  }

  maxPool(kernel, stride, { pad = 0, ceil = 0 } = {}) {
    const side = Math[ceil ? 'ceil' : 'floor']((this.at.side + 2 * pad - kernel) / stride) + 1;
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    const lists = Object.entries(attributes).map(([name, list]) => ints(name, list));
    return this.#add('MaxPool', { side }, [], ...lists, int('ceil_mode', ceil));
  }

  add(other) {
    return this.#add('Add', {}, [other.name]);
  }

  concat(ends) {
    const [first, ...others] = ends;
    this.at = first;
    const channels = ends.reduce((sum, end) => sum + end.channels, 0);
    return this.#add(
      'Concat',
      { channels },
      others.map(({ name }) => name),
      int('axis', 1),
    );
  }

  mean() {
    return this.#add('GlobalAveragePool', { side: 1 });
  }

  flatten() {
    return this.#add('Flatten', { channels: this.at.channels * this.at.side ** 2, side: 0 });
  }

  softmax() {
    return this.#add('Softmax', {}, [], int('axis', 1));
  }

  finish() {
    const { name, channels } = this.at;
    return model(
      ...this.#parts.map(({ part }) => part),
      input('x', [1, 3, this.#inputSide, this.#inputSide]),
      output(name, [1, channels]),
    );
  }

  /** Weights, as large as keeps values of the size of the input's, and a bias. */
  #constants(shape, columns) {
    const names = [this.#name('w'), this.#name('b')];
    const count = shape.reduce((product, dimension) => product * dimension);
    const values = weights(count).map((value) => value / Math.sqrt(columns));
    this.#parts.push({ part: initializer(names[0], shape, values) });
    this.#parts.push({
      part: initializer(
        names[1],
        [shape[0]],
        weights(shape[0]).map((value) => value / 10),
      ),
    });
    return names;
  }

  #add(op, change = {}, others = [], ...attributes) {
    const name = this.#name(op.toLowerCase());
    this.#parts.push({ part: node(name, op, [this.at.name, ...others], name, ...attributes) });
    this.at = { ...this.at, ...change, name };
    return this;
  }

  /** As long as exporters make them. */
  #name(start) {
    return `features/${this.#names++}/block/${start}_output_of_layer`;
  }
}
