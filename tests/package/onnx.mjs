// Tiny ONNX files for the tests.
import {
  header,
  initializer,
  input,
  int,
  integer,
  ints,
  model,
  node,
  output,
  string,
  varint,
  weights,
} from '../../scripts/lib/onnx.mjs';

/** A network for pictures of 16 x 16: Conv 3x3, Relu, global average, a fully connected layer to `classes`. */
export function tinyNetwork({ classes = 10, op = 'Relu' } = {}) {
  return model(
    node('conv', 'Conv', ['x', 'w1'], 'a', ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])),
    node('act', op, ['a'], 'b'),
    node('pool', 'GlobalAveragePool', ['b'], 'c'),
    node('flatten', 'Flatten', ['c'], 'd'),
    node('fc', 'Gemm', ['d', 'w2'], 'y', int('transB', 1)),
    initializer('w1', [32, 3, 3, 3], weights(32 * 27)),
    initializer('w2', [classes, 32], weights(classes * 32)),
    input('x', [1, 3, 16, 16]),
    output('y', [1, classes]),
  );
}

/** 3x3 convolutions of 192 channels, for which an engine has other ways than for a few; pictures of 16 x 16. */
export function wideNetwork() {
  const kernel = [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])];
  return model(
    node('conv', 'Conv', ['x', 'w1'], 'a', ...kernel),
    node('act', 'Relu', ['a'], 'b'),
    node('wide', 'Conv', ['b', 'w2'], 'c', ...kernel),
    node('wide.act', 'Relu', ['c'], 'd'),
    node('narrow', 'Conv', ['d', 'w3'], 'e', ...kernel),
    node('pool', 'GlobalAveragePool', ['e'], 'f'),
    node('flatten', 'Flatten', ['f'], 'y'),
    initializer('w1', [192, 3, 3, 3], weights(192 * 27)),
    initializer('w2', [192, 192, 3, 3], weights(192 * 192 * 9)),
    initializer('w3', [32, 192, 3, 3], weights(32 * 192 * 9)),
    input('x', [1, 3, 16, 16]),
    output('y', [1, 32]),
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
  const transposed = int('transB', 1);
  const axis = int('axis', 1);
  const graph = [
    node('flatten', 'Flatten', ['x'], 'd'),
    ...names.map((name) => node(name, 'Gemm', ['d', `${name}.weight`], name, transposed)),
    node('concat', 'Concat', names, 'y', axis),
    input('x', [1, 3, 224, 224]),
    output('y', [1, layers * units]),
    string(2, 'large'),
  ].flat();
  const tensors = names.map((name) => {
    const shape = [integer(1, units), integer(1, columns), integer(2, 1), string(8, `${name}.weight`)].flat();
    return opened(5, [...shape, ...opened(9, [], weightBytes)], weightBytes);
  });
  const rest = tensors.reduce((sum, tensor) => sum + tensor.length + weightBytes, 0);
  const start = [...header, ...opened(7, graph, rest)];
  const chunks = [{ at: 0, bytes: Uint8Array.from(start) }];
  let length = start.length;
  for (const tensor of tensors) {
    chunks.push({ at: length, bytes: Uint8Array.from(tensor) });
    length += tensor.length + weightBytes;
  }
  return { chunks, length };
}
