// make_onnx_corpus FOLDER: seeds for fuzz_onnx. The operator cases of tools/operator_cases.py are good seeds too; these
// add what they have little of: our own quantized weights, old ways to write weights, shape arithmetic.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "kdequant/onnx/writer.h"
#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

std::vector<std::uint8_t> Quantized(std::int64_t table_count, DataType index_type) {
  ModelBytes model(21);
  model.Input("x", {-1, 2, 4, 4}).Output("y").Node("Cast", {"i"}, {"c"}, {IntAttribute("to", 6)});
  if (table_count > 1) model.Node("Add", {"c", "o"}, {"k"});
  model.Node("Gather", {"t", table_count > 1 ? "k" : "c"}, {"g"}).Node("Cast", {"h"}, {"s"}, {IntAttribute("to", 1)});
  model.Node("Mul", {"g", "s"}, {"w"}).Node("Conv", {"x", "w"}, {"a"}, {}, "conv").Node("Relu", {"a"}, {"y"});
  model.Tensor(RawTensor(
      "i", index_type, {2, 2, 1, 1},
      std::vector<std::uint8_t>(index_type == DataType::kUint4 ? 2 : 4, index_type == DataType::kUint4 ? 0x21 : 3)));
  model.Tensor(RawTensor("o", DataType::kInt32, {2, 1, 1, 1}, std::vector<std::int32_t>{0, 4}));
  std::vector<float> table;
  for (std::int64_t t = 0; t < table_count; ++t) table.insert(table.end(), {-1, 0, 0.5F, 1});
  model.Floats("t", {4 * table_count}, table);
  model.Tensor(RawTensor("h", DataType::kFloat16, {2, 1, 1, 1}, std::vector<std::uint16_t>{0x3c00, 0x3800}));
  return model.Metadata("kdequant.ranges", R"({"y": [0, 6, 7]})").Bytes();
}

std::vector<std::uint8_t> EightBit() {
  ModelBytes model(13);
  model.Input("x", {1, 2, 4, 4})
      .Output("y")
      .Node("DequantizeLinear", {"q", "s", "z"}, {"w"}, {IntAttribute("axis", 0)});
  model.Node("QuantizeLinear", {"b", "bs"}, {"bq"})
      .Node("DequantizeLinear", {"bq", "bs"}, {"bd"})
      .Node("Conv", {"x", "w", "bd"}, {"y"});
  model.Tensor(RawTensor("q", DataType::kInt8, {2, 2, 1, 1}, std::vector<std::int8_t>{1, -2, 3, -128}))
      .Floats("s", {2}, {1, 2});
  model.Tensor(RawTensor("z", DataType::kInt8, {2}, std::vector<std::int8_t>{0, 0}))
      .Floats("b", {2}, {0.3F, 9})
      .Floats("bs", {}, {0.5F});
  return model.Bytes();
}

std::vector<std::uint8_t> OldWeights() {
  ModelBytes model(7);
  model.Input("x", {1, 4, 8, 8}).Input("w", {4, 1, 3, 3}).Output("y");
  model.Node("Conv", {"x", "w"}, {"c"}, {StringAttribute("auto_pad", "SAME_UPPER"), IntAttribute("group", 4)});
  model.Node("BatchNormalization", {"c", "s", "s", "s", "s"}, {"n", "", ""}, {IntAttribute("spatial", 1)});
  model.Node("Dropout", {"n"}, {"d", "mask"})
      .Node("Sum", {"d", "x", "c"}, {"e"})
      .Node("GlobalAveragePool", {"e"}, {"f"});
  model.Node("Softmax", {"f"}, {"y"}).Weights("w", {4, 1, 3, 3}).Weights("s", {4});
  return model.Bytes();
}

std::vector<std::uint8_t> ShapeArithmetic() {
  ModelBytes model(13);
  model.Input("x", {-1, 4, 8, 8})
      .Output("y")
      .Node("Shape", {"x"}, {"shape"})
      .Node("Gather", {"shape", "zero"}, {"batch"});
  model.Node("Unsqueeze", {"batch", "zeros"}, {"list"})
      .Node("Concat", {"list", "rest"}, {"target"}, {IntAttribute("axis", 0)});
  model.Node("Split", {"x"}, {"l", "r"}, {IntAttribute("axis", 1)})
      .Node("Concat", {"r", "l"}, {"m"}, {IntAttribute("axis", 1)});
  model.Node("Transpose", {"m"}, {"p"}, {IntsAttribute("perm", {0, 2, 3, 1})}).Node("Pad", {"p", "pads"}, {"q"});
  model.Node("Slice", {"q", "zeros", "ends", "axes"}, {"u"})
      .Node("Reshape", {"u", "target"}, {"v"})
      .Node("MatMul", {"v", "k"}, {"y"});
  model.Tensor(RawTensor("zero", DataType::kInt64, {}, std::vector<std::int64_t>{0}))
      .Ints("zeros", {0})
      .Ints("rest", {-1});
  model.Ints("pads", {0, 1, 0, 0, 0, 0, 0, 0}).Ints("ends", {-1}).Ints("axes", {1}).Weights("k", {256, 2});
  return model.Bytes();
}

int Write(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::pair<const char*, std::vector<std::uint8_t>> seeds[] = {
      {"codebook", Quantized(1, DataType::kUint4)},
      {"codebook_per_channel", Quantized(2, DataType::kUint4)},
      {"codebook_bytes", Quantized(1, DataType::kUint8)},
      {"eight_bit", EightBit()},
      {"old_weights", OldWeights()},
      {"shape_arithmetic", ShapeArithmetic()}};
  for (const auto& [name, bytes] : seeds) {
    if (const auto graph = ReadOnnx(bytes); !graph) {
      std::fprintf(stderr, "error: seed %s is not read: %s\n", name, graph.error().message.c_str());
      return 1;
    }
    std::ofstream file(folder / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return 0;
}

}  // namespace
}  // namespace kdequant::onnx

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_onnx_corpus FOLDER\n", stderr);
    return 2;
  }
  return kdequant::onnx::Write(argv[1]);
}
