// Tiny ONNX files for the tests, written field by field (the field numbers are those of onnx.proto).

const varint = (value) => {
  const bytes = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
};
const integer = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, value) => [...varint((field << 3) | 2), ...varint(value.length), ...value];
const string = (field, value) => bytes(field, Buffer.from(value));
const message = (field, ...parts) => bytes(field, parts.flat());

const valueInfo = (field, name, shape) =>
  message(
    field,
    string(1, name),
    message(2, message(1, integer(1, 1), message(2, ...shape.map((dimension) => message(1, integer(1, dimension)))))),
  );

const initializer = (name, shape, values) =>
  message(
    5,
    ...shape.map((dimension) => integer(1, dimension)),
    integer(2, 1),
    string(8, name),
    bytes(9, new Uint8Array(Float32Array.from(values).buffer)),
  );

const integers = (name, values) =>
  message(5, string(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));

const node = (name, op, inputs, output, ...attributes) =>
  message(
    1,
    ...inputs.map((input) => string(1, input)),
    string(2, output),
    string(3, name),
    string(4, op),
    ...attributes,
  );

const model = (...graph) =>
  Uint8Array.from(
    [integer(1, 8), message(7, ...graph, string(2, 'tiny')), message(8, string(1, ''), integer(2, 13))].flat(),
  );

/** Numbers that look like weights: smooth, signed, never the same twice. */
const weights = (count) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 1) * Math.exp(-((i * 37) % 101) / 50));

/** A network for pictures of 16 x 16: Conv 3x3, Relu, global average, a fully connected layer to `classes`. */
export function tinyNetwork({ classes = 10, op = 'Relu' } = {}) {
  return model(
    node('conv', 'Conv', ['x', 'w1'], 'a', integers('kernel_shape', [3, 3]), integers('pads', [1, 1, 1, 1])),
    node('act', op, ['a'], 'b'),
    node('pool', 'GlobalAveragePool', ['b'], 'c'),
    node('flatten', 'Flatten', ['c'], 'd'),
    node('fc', 'Gemm', ['d', 'w2'], 'y', message(5, string(1, 'transB'), integer(3, 1), integer(20, 2))),
    initializer('w1', [32, 3, 3, 3], weights(32 * 27)),
    initializer('w2', [classes, 32], weights(classes * 32)),
    valueInfo(11, 'x', [1, 3, 16, 16]),
    valueInfo(12, 'y', [1, classes]),
  );
}

/**
 * A network of `layers` fully connected layers of `units` each, beside one another, for pictures of 224 x 224. Its weights are zeros:
 * the file is of `length` bytes, all of them zeros but for `chunks`. A unit takes 0.6 MB.
 */
export function largeNetwork(layers, units) {
  const columns = 3 * 224 * 224;
  const weightBytes = 4 * units * columns;
  const opened = (field, head, rest) => [...varint((field << 3) | 2), ...varint(head.length + rest), ...head];
  const names = Array.from({ length: layers }, (_, layer) => `fc${layer}`);
  const transposed = message(5, string(1, 'transB'), integer(3, 1), integer(20, 2));
  const axis = message(5, string(1, 'axis'), integer(3, 1), integer(20, 2));
  const graph = [
    node('flatten', 'Flatten', ['x'], 'd'),
    ...names.map((name) => node(name, 'Gemm', ['d', `${name}.weight`], name, transposed)),
    node('concat', 'Concat', names, 'y', axis),
    valueInfo(11, 'x', [1, 3, 224, 224]),
    valueInfo(12, 'y', [1, layers * units]),
    string(2, 'large'),
  ].flat();
  const tensors = names.map((name) => {
    const shape = [integer(1, units), integer(1, columns), integer(2, 1), string(8, `${name}.weight`)].flat();
    return opened(5, [...shape, ...opened(9, [], weightBytes)], weightBytes);
  });
  const rest = tensors.reduce((sum, tensor) => sum + tensor.length + weightBytes, 0);
  const model = [...integer(1, 8), ...message(8, string(1, ''), integer(2, 13)), ...opened(7, graph, rest)];
  const chunks = [{ at: 0, bytes: Uint8Array.from(model) }];
  let length = model.length;
  for (const tensor of tensors) {
    chunks.push({ at: length, bytes: Uint8Array.from(tensor) });
    length += tensor.length + weightBytes;
  }
  return { chunks, length };
}
