// Writes small ONNX files field by field (the field numbers are those of onnx.proto): networks for tests, and those by which the
// package is built.

export const varint = (value) => {
  const bytes = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
};
export const integer = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, value) => [...varint((field << 3) | 2), ...varint(value.length), ...value];
export const string = (field, value) => bytes(field, Buffer.from(value));
const message = (field, ...parts) => bytes(field, parts.flat());

const valueInfo = (field, name, shape) =>
  message(
    field,
    string(1, name),
    message(2, message(1, integer(1, 1), message(2, ...shape.map((dimension) => message(1, integer(1, dimension)))))),
  );
export const input = (name, shape) => valueInfo(11, name, shape);
export const output = (name, shape) => valueInfo(12, name, shape);

export const initializer = (name, shape, values) =>
  message(
    5,
    ...shape.map((dimension) => integer(1, dimension)),
    integer(2, 1),
    string(8, name),
    bytes(9, new Uint8Array(Float32Array.from(values).buffer)),
  );

/** Attributes of a node: an integer, integers. */
export const int = (name, value) => message(5, string(1, name), integer(3, value), integer(20, 2));
export const ints = (name, values) =>
  message(5, string(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));

export const node = (name, op, inputs, result, ...attributes) =>
  message(
    1,
    ...inputs.map((source) => string(1, source)),
    string(2, result),
    string(3, name),
    string(4, op),
    ...attributes,
  );

/** The fields of a file beside its graph. */
export const header = [...integer(1, 8), ...message(8, string(1, ''), integer(2, 13))];
export const model = (...graph) => Uint8Array.from([...header, ...message(7, ...graph, string(2, 'tiny'))]);

/** Numbers that look like weights: smooth, signed, never the same twice. */
export const weights = (count) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 1) * Math.exp(-((i * 37) % 101) / 50));
