#include "proto.h"

#include <algorithm>
#include <exception>
#include <protozero/pbf_reader.hpp>

namespace kdequant::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// Thrown inside this file only, where protozero throws anyway.
struct ParseError : std::exception {
  ParseError(ErrorCode c, std::string m) : code(c), message(std::move(m)) {}
  ErrorCode code;
  std::string message;
};

constexpr std::uint32_t Varint(std::uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::varint); }
constexpr std::uint32_t Bytes(std::uint32_t field) {
  return protozero::tag_and_type(field, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t Fixed32(std::uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::fixed32); }
constexpr std::uint32_t Fixed64(std::uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::fixed64); }

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
    if (more == 0 || lead >= 0xf5) return false;
    std::uint32_t code = lead & (0x3fU >> more);
    for (int k = 0; k < more; ++k) {
      if (i == text.size()) return false;
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0U) != 0x80U) return false;
      code = code << 6 | (next & 0x3fU);
    }
    // Overlong forms, surrogates, and what lies beyond Unicode.
    if (code < (more == 3   ? 0x10000U
                : more == 2 ? 0x800U
                            : 0x80U) ||
        code > 0x10ffffU || (code >= 0xd800U && code < 0xe000U))
      return false;
  }
  return true;
}

std::string_view View(pbf_reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

// Names and texts end up in messages and JSON, so bytes that are no text stop here.
std::string_view Text(pbf_reader& reader) {
  const auto view = View(reader);
  if (!IsUtf8(view)) throw ParseError(ErrorCode::kBadInput, "not an ONNX file: a name in it is not UTF-8 text");
  return view;
}

template <typename T, typename Range>
void AppendAll(std::vector<T>& values, const Range& range) {
  for (const auto value : range) values.push_back(static_cast<T>(value));
}

template <typename T, typename Range>
void AppendFixed(std::vector<T>& values, const Range& range) {
  values.reserve(values.size() + static_cast<std::size_t>(std::distance(range.begin(), range.end())));
  AppendAll(values, range);
}

class Parser {
 public:
  ModelView Model(pbf_reader reader) {
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Varint(1): model_.ir_version = reader.get_int64(); break;
        case Bytes(7):
          if (model_.has_graph) throw ParseError(ErrorCode::kBadInput, "not an ONNX file: it holds two graphs");
          model_.has_graph = true;
          Graph(reader.get_message());
          break;
        case Bytes(8): OpsetImport(reader.get_message()); break;
        case Bytes(14): model_.metadata.push_back(Entry(reader.get_message())); break;
        case Bytes(25): Function(reader.get_message()); break;
        default: reader.skip();
      }
    }
    return std::move(model_);
  }

 private:
  void Count() {
    if (++messages_ > 1'000'000) {
      throw ParseError(ErrorCode::kLimit,
                       "the file holds more than a million nodes, attributes, names and tensors, more than any network "
                       "that kdequant reads");
    }
  }

  void OpsetImport(pbf_reader reader) {
    std::string_view domain;
    std::int64_t version = 0;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): domain = Text(reader); break;
        case Varint(2): version = reader.get_int64(); break;
        default: reader.skip();
      }
    }
    if (domain.empty() || domain == "ai.onnx") model_.opset = version;
  }

  std::pair<std::string_view, std::string_view> Entry(pbf_reader reader) {
    Count();
    std::pair<std::string_view, std::string_view> entry;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): entry.first = Text(reader); break;
        case Bytes(2): entry.second = Text(reader); break;
        default: reader.skip();
      }
    }
    return entry;
  }

  void Function(pbf_reader reader) {
    Count();
    std::string_view name;
    std::string_view domain;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): name = Text(reader); break;
        case Bytes(10): domain = Text(reader); break;
        default: reader.skip();
      }
    }
    if (domain.empty() || domain == "ai.onnx") model_.functions.push_back(name);
  }

  void Graph(pbf_reader reader) {
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): Node(reader.get_message()); break;
        case Bytes(2): model_.graph_name = Text(reader); break;
        case Bytes(5): model_.initializers.push_back(Tensor(reader.get_message())); break;
        case Bytes(11): model_.inputs.push_back(ValueInfo(reader.get_message())); break;
        case Bytes(12): model_.outputs.push_back(ValueInfo(reader.get_message())); break;
        case Bytes(15):
          model_.has_sparse = true;
          reader.skip();
          break;
        default: reader.skip();
      }
    }
  }

  void Node(pbf_reader reader) {
    Count();
    NodeView node;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1):
          Count();
          node.inputs.push_back(Text(reader));
          break;
        case Bytes(2):
          Count();
          node.outputs.push_back(Text(reader));
          break;
        case Bytes(3): node.name = Text(reader); break;
        case Bytes(4): node.op = Text(reader); break;
        case Bytes(5): node.attributes.push_back(Attribute(reader.get_message())); break;
        case Bytes(7): node.domain = Text(reader); break;
        default: reader.skip();
      }
    }
    model_.nodes.push_back(std::move(node));
  }

  AttributeView Attribute(pbf_reader reader) {
    Count();
    AttributeView attribute;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): attribute.name = Text(reader); break;
        case Fixed32(2): attribute.f = reader.get_float(); break;
        case Varint(3): attribute.i = reader.get_int64(); break;
        case Bytes(4): attribute.s = View(reader); break;
        case Bytes(5): attribute.tensor = Tensor(reader.get_message()); break;
        // Repeated numbers come packed or one by one: exporters differ.
        case Bytes(7): AppendFixed(attribute.floats, reader.get_packed_float()); break;
        case Fixed32(7): attribute.floats.push_back(reader.get_float()); break;
        case Bytes(8): AppendAll(attribute.ints, reader.get_packed_int64()); break;
        case Varint(8): attribute.ints.push_back(reader.get_int64()); break;
        case Varint(20): attribute.type = reader.get_int32(); break;
        case Bytes(6):
        case Bytes(9):
        case Bytes(10):
        case Bytes(11):
        case Bytes(14):
        case Bytes(15):
        case Bytes(21):
        case Bytes(22):
        case Bytes(23):
          attribute.other = true;
          reader.skip();
          break;
        default: reader.skip();
      }
    }
    return attribute;
  }

  std::int32_t Tensor(pbf_reader reader) {
    Count();
    TensorView tensor;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): AppendAll(tensor.dims, reader.get_packed_int64()); break;
        case Varint(1): tensor.dims.push_back(reader.get_int64()); break;
        case Varint(2): tensor.type = static_cast<DataType>(reader.get_int32()); break;
        case Bytes(4): AppendFixed(tensor.floats, reader.get_packed_float()); break;
        case Fixed32(4): tensor.floats.push_back(reader.get_float()); break;
        case Bytes(5): AppendAll(tensor.int32s, reader.get_packed_int32()); break;
        case Varint(5): tensor.int32s.push_back(reader.get_int32()); break;
        case Bytes(7): AppendAll(tensor.int64s, reader.get_packed_int64()); break;
        case Varint(7): tensor.int64s.push_back(reader.get_int64()); break;
        case Bytes(8): tensor.name = Text(reader); break;
        case Bytes(9): tensor.raw = View(reader); break;
        case Bytes(10): AppendFixed(tensor.doubles, reader.get_packed_double()); break;
        case Fixed64(10): tensor.doubles.push_back(reader.get_double()); break;
        case Bytes(11): AppendAll(tensor.uint64s, reader.get_packed_uint64()); break;
        case Varint(11): tensor.uint64s.push_back(reader.get_uint64()); break;
        case Varint(14): tensor.external = reader.get_int32() != 0; break;
        default: reader.skip();
      }
    }
    if (tensor.dims.size() > 16) {
      throw ParseError(ErrorCode::kLimit, "tensor " + Quoted(tensor.name) + " has " +
                                              std::to_string(tensor.dims.size()) +
                                              " dimensions; kdequant reads up to 16");
    }
    model_.tensors.push_back(std::move(tensor));
    return static_cast<std::int32_t>(model_.tensors.size() - 1);
  }

  ValueView ValueInfo(pbf_reader reader) {
    Count();
    ValueView value;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): value.name = Text(reader); break;
        case Bytes(2): Type(reader.get_message(), value); break;
        default: reader.skip();
      }
    }
    return value;
  }

  static void Type(pbf_reader reader, ValueView& value) {
    while (reader.next()) {
      if (reader.tag_and_type() != Bytes(1)) {
        reader.skip();
        continue;
      }
      pbf_reader tensor = reader.get_message();
      while (tensor.next()) {
        switch (tensor.tag_and_type()) {
          case Varint(1): value.type = static_cast<DataType>(tensor.get_int32()); break;
          case Bytes(2): value.shape = Dimensions(tensor.get_message()); break;
          default: tensor.skip();
        }
      }
    }
  }

  static Shape Dimensions(pbf_reader reader) {
    Shape shape;
    while (reader.next()) {
      if (reader.tag_and_type() != Bytes(1)) {
        reader.skip();
        continue;
      }
      if (shape.size() == 16) throw ParseError(ErrorCode::kLimit, "an input has more than 16 dimensions");
      // Exporters write an open dimension as a name, as nothing, as 0 or as -1.
      std::int64_t size = kUnknownDimension;
      pbf_reader dimension = reader.get_message();
      while (dimension.next()) {
        if (dimension.tag_and_type() == Varint(1)) {
          size = dimension.get_int64();
        } else {
          dimension.skip();
        }
      }
      shape.push_back(size > 0 ? size : kUnknownDimension);
    }
    return shape;
  }

  ModelView model_;
  std::size_t messages_ = 0;
};

}  // namespace

std::string DataTypeName(DataType type) {
  switch (type) {
    case DataType::kFloat: return "float32";
    case DataType::kUint8: return "uint8";
    case DataType::kInt8: return "int8";
    case DataType::kUint16: return "uint16";
    case DataType::kInt16: return "int16";
    case DataType::kInt32: return "int32";
    case DataType::kInt64: return "int64";
    case DataType::kString: return "string";
    case DataType::kBool: return "bool";
    case DataType::kFloat16: return "float16";
    case DataType::kDouble: return "float64";
    case DataType::kUint32: return "uint32";
    case DataType::kUint64: return "uint64";
    case DataType::kBFloat16: return "bfloat16";
    case DataType::kUint4: return "uint4";
    case DataType::kInt4: return "int4";
    case DataType::kUndefined: break;
  }
  return "data type " + std::to_string(static_cast<std::int32_t>(type));
}

bool IsFloatType(DataType type) {
  return type == DataType::kFloat || type == DataType::kFloat16 || type == DataType::kBFloat16 ||
         type == DataType::kDouble;
}

bool IsIntegerType(DataType type) {
  switch (type) {
    case DataType::kUint8:
    case DataType::kInt8:
    case DataType::kUint16:
    case DataType::kInt16:
    case DataType::kInt32:
    case DataType::kInt64:
    case DataType::kBool:
    case DataType::kUint32:
    case DataType::kUint64:
    case DataType::kUint4:
    case DataType::kInt4: return true;
    default: return false;
  }
}

Result<ModelView> ParseModel(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return Fail(ErrorCode::kBadInput, "the file is empty; choose an ONNX model");
  try {
    ModelView model = Parser().Model(pbf_reader(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (!model.has_graph)
      return Fail(ErrorCode::kBadInput,
                  "not an ONNX file: it holds no graph; choose a file written by an ONNX exporter");
    return model;
  } catch (const ParseError& error) {
    return Fail(error.code, error.message);
  } catch (const protozero::exception&) {
    return Fail(ErrorCode::kBadInput,
                "not an ONNX file, or cut off: its " + std::to_string(bytes.size()) +
                    " bytes end or break in the middle of a message; download or export the model again");
  }
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  std::string_view shown = name.substr(0, 80);
  // Never cut a character in two.
  if (shown.size() < name.size()) {
    while (!shown.empty() && (static_cast<unsigned char>(name[shown.size()]) & 0xc0U) == 0x80U) shown.remove_suffix(1);
  }
  for (const char c : shown) quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (shown.size() < name.size()) quoted += "...";
  return quoted + '"';
}

}  // namespace kdequant::onnx
