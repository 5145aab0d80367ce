#include "graph_writer.h"

#include <algorithm>
#include <bit>

#include "kdequant/base/half.h"

namespace kdequant::onnx {
namespace {

using protozero::pbf_writer;

template <typename T>
std::string_view BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <typename T>
std::string_view BytesOf(const std::vector<T>& values) {
  return BytesOf(std::span<const T>(values));
}

void WriteTensor(pbf_writer& tensor, std::string_view name, DataType type, const Shape& shape, std::string_view bytes) {
  tensor.add_packed_int64(1, shape.begin(), shape.end());
  tensor.add_int32(2, static_cast<std::int32_t>(type));
  if (!name.empty()) tensor.add_string(8, name.data(), name.size());
  tensor.add_bytes(9, bytes.data(), bytes.size());
}

struct AttributeValueWriter {
  pbf_writer& attribute;

  void Type(std::int32_t type) { attribute.add_int32(20, type); }

  void operator()(std::int64_t value) {
    attribute.add_int64(3, value);
    Type(2);
  }
  void operator()(float value) {
    attribute.add_float(2, value);
    Type(1);
  }
  void operator()(std::string_view value) {
    attribute.add_bytes(4, value.data(), value.size());
    Type(3);
  }
  void operator()(const std::vector<std::int64_t>& values) {
    for (const std::int64_t value : values) attribute.add_int64(8, value);
    Type(7);
  }
  void operator()(const Tensor* value) {
    {
      pbf_writer tensor(attribute, 5);
      if (const auto* floats = std::get_if<FloatTensor>(value)) {
        WriteTensor(tensor, "", DataType::kFloat, {1}, BytesOf(floats->values));
      } else if (const auto* integers = std::get_if<IntTensor>(value)) {
        WriteTensor(tensor, "", DataType::kInt64, {1}, BytesOf(integers->values));
      }
    }
    Type(4);
  }
};

// The shape that broadcasts one number per output channel over a weight.
Shape PerChannel(const Shape& weight) {
  Shape shape(weight.size(), 1);
  shape[0] = weight[0];
  return shape;
}

// What is wrong with a codebook weight; empty if nothing. Only one whose levels a reader can take apart again is
// written.
std::string_view Fault(const CodebookTensor& tensor) {
  const auto count = ElementCount(tensor.shape);
  if (!count || *count == 0 || tensor.shape.size() < 2) return "its shape is not that of a weight";
  const auto channels = static_cast<std::size_t>(tensor.shape[0]);
  if (tensor.bits < 2 || tensor.bits > 8) return "its indices have no 2 to 8 bits";
  if (tensor.indices.size() != (tensor.bits > 4 ? *count : (*count + 1) / 2)) return "its indices do not fit its shape";
  const std::size_t tables = tensor.TableCount();
  if (tensor.table_of.empty()) {
    if (tables != 1 && tables != channels) return "it has neither one table nor one per channel";
  } else if (tensor.table_of.size() != channels || *std::ranges::max_element(tensor.table_of) >= tables) {
    return "it has channels without a table";
  }
  if (tensor.codes.size() != tables * tensor.TableSize()) return "its codes do not fit its tables";
  for (std::size_t t = 0; t < tables; ++t) {
    if (!std::ranges::is_sorted(std::span(tensor.codes).subspan(t * tensor.TableSize(), tensor.TableSize()))) {
      return "its codes do not ascend";
    }
    // More than 17 significant bits, or not a normal number.
    const auto bits = std::bit_cast<std::uint32_t>(tensor.steps[t]);
    if ((bits & 0x7fU) != 0 || bits < 0x00800000U || bits >= 0x7f800000U)
      return "a step has more than 17 significant bits";
  }
  if (std::ranges::find(tensor.codes, -128) != tensor.codes.end()) return "it has a code of -128";
  if (!tensor.scales.empty() && tensor.scales.size() != channels) return "its scales are not one per channel";
  if (!std::ranges::all_of(tensor.scales, IsExactInHalf)) return "a scale is not representable in binary16";
  return {};
}

}  // namespace

GraphWriter::GraphWriter(const Graph& graph, pbf_writer& out)
    : graph_(graph), out_(out), written_(graph.values.size()) {
  for (const Value& value : graph.values) {
    if (value.name.empty()) Fail(value.name, "it has no name");
    if (!names_.insert(value.name).second) Fail(value.name, "its name is taken");
  }
}

void GraphWriter::Fail(std::string_view value, std::string_view why) {
  if (error_) return;
  error_ = Error{ErrorCode::kInternal, "value " + Quoted(value) + " cannot be written: " + std::string(why), {}};
}

std::string GraphWriter::ShortName() {
  // a, b, ... z, aa, ab, ...
  while (true) {
    std::string name;
    for (std::size_t n = ++next_short_name_; n > 0; n = (n - 1) / 26) name += static_cast<char>('a' + (n - 1) % 26);
    if (names_.insert(name).second) return name;
  }
}

std::string GraphWriter::FreshName(const std::string& base) {
  std::string name = base;
  for (int i = 2; !names_.insert(name).second; ++i) name = base + std::to_string(i);
  return name;
}

void GraphWriter::WriteNode(const NodeOut& node) {
  pbf_writer out(out_, 1);
  std::size_t inputs = node.inputs.size();
  while (inputs > 0 && node.inputs[inputs - 1].empty()) --inputs;
  for (std::size_t i = 0; i < inputs; ++i) out.add_string(1, node.inputs[i]);
  for (const auto& output : node.outputs) out.add_string(2, output);
  if (!node.name.empty() && node.name != node.outputs.front()) out.add_string(3, node.name.data(), node.name.size());
  out.add_string(4, node.op.data(), node.op.size());
  for (const auto& [name, value] : node.attributes) {
    pbf_writer attribute(out, 5);
    attribute.add_string(1, name.data(), name.size());
    std::visit(AttributeValueWriter{attribute}, value);
  }
}

std::string GraphWriter::Use(ValueId id) {
  if (id == kNoValue) return {};
  const Value& value = graph_.value(id);
  if (value.constant && !written_[static_cast<std::size_t>(id)]) {
    written_[static_cast<std::size_t>(id)] = true;
    WriteConstant(value);
  }
  return value.name;
}

std::string GraphWriter::UseInts(const std::vector<std::int64_t>& list) {
  const auto [position, fresh] = lists_.try_emplace(list);
  if (fresh) {
    position->second = ShortName();
    WriteInitializer(position->second, DataType::kInt64, {static_cast<std::int64_t>(list.size())}, BytesOf(list));
  }
  return position->second;
}

std::string GraphWriter::UseScalar(float number) {
  const auto [position, fresh] = scalars_.try_emplace(std::bit_cast<std::uint32_t>(number));
  if (fresh) {
    position->second = ShortName();
    WriteInitializer(position->second, DataType::kFloat, {}, BytesOf(std::span<const float>(&number, 1)));
  }
  return position->second;
}

void GraphWriter::WriteInitializer(std::string_view name, DataType type, const Shape& shape, std::string_view bytes) {
  pbf_writer tensor(out_, 5);
  WriteTensor(tensor, name, type, shape, bytes);
}

void GraphWriter::WriteConstant(const Value& value) {
  if (const auto* floats = std::get_if<FloatTensor>(value.constant.get())) {
    WriteInitializer(value.name, DataType::kFloat, floats->shape, BytesOf(floats->values));
  } else if (const auto* integers = std::get_if<IntTensor>(value.constant.get())) {
    WriteInitializer(value.name, DataType::kInt64, integers->shape, BytesOf(integers->values));
  } else if (const auto* codebook = std::get_if<CodebookTensor>(value.constant.get())) {
    WriteCodebook(value.name, *codebook);
  } else if (const auto* int8 = std::get_if<Int8Tensor>(value.constant.get())) {
    WriteInt8(value.name, *int8);
  }
}

std::string GraphWriter::WriteCast(const std::string& input, DataType to) {
  std::string output = ShortName();
  WriteNode(
      {.op = "Cast", .inputs = {input}, .outputs = {output}, .attributes = {{"to", static_cast<std::int64_t>(to)}}});
  return output;
}

std::string GraphWriter::WriteFloats(std::span<const float> values, const Shape& shape) {
  std::string name = ShortName();
  constexpr std::size_t kCastBytes = 30;  // about what the node takes in the file
  if (!std::ranges::all_of(values, IsExactInHalf) || 2 * values.size() <= kCastBytes) {
    WriteInitializer(name, DataType::kFloat, shape, BytesOf(values));
    return name;
  }
  std::vector<std::uint16_t> halves(values.size());
  std::ranges::transform(values, halves.begin(), FloatToHalf);
  WriteInitializer(name, DataType::kFloat16, shape, BytesOf(halves));
  return WriteCast(name, DataType::kFloat);
}

std::string GraphWriter::WriteTableStarts(const CodebookTensor& tensor) {
  const Shape shape = PerChannel(tensor.shape);
  if (tensor.table_of.empty()) return UseTableStarts(shape, tensor.TableSize());
  std::string name = ShortName();
  std::vector<std::int32_t> starts;
  for (const std::uint8_t table : tensor.table_of)
    starts.push_back(static_cast<std::int32_t>(table * tensor.TableSize()));
  if (*std::ranges::max_element(starts) > 255) {
    WriteInitializer(name, DataType::kInt32, shape, BytesOf(starts));
    return name;
  }
  const std::vector<std::uint8_t> bytes(starts.begin(), starts.end());
  WriteInitializer(name, DataType::kUint8, shape, BytesOf(bytes));
  return WriteCast(name, DataType::kInt32);
}

std::string GraphWriter::UseTableStarts(const Shape& shape, std::size_t table_size) {
  const auto [position, fresh] = table_starts_.try_emplace({shape, table_size});
  if (fresh) {
    position->second = ShortName();
    std::vector<std::int32_t> starts(static_cast<std::size_t>(shape[0]));
    for (std::size_t o = 0; o < starts.size(); ++o) starts[o] = static_cast<std::int32_t>(o * table_size);
    WriteInitializer(position->second, DataType::kInt32, shape, BytesOf(starts));
  }
  return position->second;
}

void GraphWriter::WriteCodebook(const std::string& name, const CodebookTensor& tensor) {
  if (const auto fault = Fault(tensor); !fault.empty()) return Fail(name, fault);
  const std::string stored = ShortName();
  WriteInitializer(stored, tensor.bits > 4 ? DataType::kUint8 : DataType::kUint4, tensor.shape,
                   BytesOf(tensor.indices));
  std::string indices = WriteCast(stored, DataType::kInt32);
  if (tensor.TableCount() > 1) {
    const std::string starts = WriteTableStarts(tensor);
    std::string sums = ShortName();
    WriteNode({.op = "Add", .inputs = {indices, starts}, .outputs = {sums}});
    indices = std::move(sums);
  }

  std::vector<float> levels(tensor.codes.size());
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = static_cast<float>(tensor.codes[i]) * tensor.steps[i / tensor.TableSize()];
  }
  const std::string table = WriteFloats(levels, {static_cast<std::int64_t>(levels.size())});
  if (tensor.scales.empty()) {
    return WriteNode({.op = "Gather", .inputs = {table, indices}, .outputs = {name}});
  }
  const std::string looked_up = ShortName();
  WriteNode({.op = "Gather", .inputs = {table, indices}, .outputs = {looked_up}});
  const std::string scales = WriteFloats(tensor.scales, PerChannel(tensor.shape));
  WriteNode({.op = "Mul", .inputs = {looked_up, scales}, .outputs = {name}});
}

void GraphWriter::WriteInt8(const std::string& name, const Int8Tensor& tensor) {
  const auto count = ElementCount(tensor.shape);
  if (!count || *count == 0 || tensor.shape.size() < 2 || tensor.values.size() != *count) {
    return Fail(name, "its values do not fit its shape");
  }
  if (tensor.scales.size() != static_cast<std::size_t>(tensor.shape[0]))
    return Fail(name, "its scales are not one per channel");
  const std::string stored = ShortName();
  WriteInitializer(stored, DataType::kInt8, tensor.shape, BytesOf(tensor.values));
  const std::string scales = WriteFloats(tensor.scales, {tensor.shape[0]});
  WriteNode({.op = "DequantizeLinear",
             .inputs = {stored, scales},
             .outputs = {name},
             .attributes = {{"axis", std::int64_t{0}}}});
}

}  // namespace kdequant::onnx
