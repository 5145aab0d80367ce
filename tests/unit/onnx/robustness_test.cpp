#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "kdequant/base/random.h"
#include "kdequant/onnx/writer.h"
#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

// A file of a few hundred bytes with every kind of message: weights of all forms, attributes, metadata.
std::vector<std::uint8_t> SmallFile() {
  ModelBytes model(21);
  model.Input("x", {-1, 2, 4, 4}).Output("y").Node("Cast", {"i"}, {"c"}, {IntAttribute("to", 6)});
  model.Node("Gather", {"t", "c"}, {"g"})
      .Node("Mul", {"g", "s"}, {"w"})
      .Node("Conv", {"x", "w"}, {"a"}, {IntsAttribute("pads", {0, 0, 1, 1})}, "conv");
  model.Node("DequantizeLinear", {"q", "s2"}, {"d"}, {IntAttribute("axis", 0)})
      .Node("Conv", {"a", "d"}, {"b"}, {StringAttribute("auto_pad", "SAME_UPPER")});
  model.Node("Constant", {}, {"six"}, {FloatAttribute("value_float", 6)}).Node("Clip", {"b", "", "six"}, {"y"});
  model.Tensor(RawTensor("i", DataType::kUint4, {2, 2, 1, 1}, std::vector<std::uint8_t>{0x21, 0x03}))
      .Floats("t", {4}, {-1, 0, 0.5F, 1});
  model.Tensor(RawTensor("s", DataType::kFloat, {2, 1, 1, 1}, std::vector<float>{1, 0.5F}));
  model.Tensor(RawTensor("q", DataType::kInt8, {2, 2, 1, 1}, std::vector<std::int8_t>{1, 2, 3, 4}))
      .Floats("s2", {2}, {1, 2});
  model.Metadata("kdequant.ranges", R"({"y": [0, 6, 7]})");
  return model.Bytes();
}

// Whatever comes in, either a graph that can be written comes out, or a sentence.
void CheckSound(std::span<const std::uint8_t> bytes) {
  const auto graph = ReadOnnx(bytes);
  if (!graph) {
    CHECK(!graph.error().message.empty());
    return;
  }
  for (const Node& node : graph->nodes) {
    for (const ValueId value : node.outputs) REQUIRE(value >= 0);
  }
  const auto written = WriteOnnx(*graph);
  CHECK((written || !written.error().message.empty()));
}

TEST_CASE("the small file is whole") { REQUIRE(ReadOnnx(SmallFile()).has_value()); }

TEST_CASE("a file cut off at any byte gives an error or a smaller graph, never a crash") {
  const auto bytes = SmallFile();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    // A copy of exactly this length, so that a sanitizer sees a read past the end.
    const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    CheckSound(cut);
  }
}

TEST_CASE("a file with any one byte changed gives a graph or an error, never a crash") {
  const auto bytes = SmallFile();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x04, 0x80, 0xff}) {
      auto changed = bytes;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
      CheckSound(changed);
    }
  }
}

TEST_CASE("bytes swapped and runs repeated at random do no harm") {
  const auto bytes = SmallFile();
  Random random(5);
  for (int round = 0; round < 3000; ++round) {
    auto changed = bytes;
    for (std::uint32_t n = 1 + random.Below(6); n > 0; --n) {
      const auto size = static_cast<std::uint32_t>(changed.size());
      std::swap(changed[random.Below(size)], changed[random.Below(size)]);
      const auto from = changed.begin() + random.Below(size);
      const std::vector<std::uint8_t> run(from,
                                          from + std::min<std::ptrdiff_t>(random.Below(40), changed.end() - from));
      changed.insert(changed.begin() + random.Below(size), run.begin(), run.end());
    }
    CheckSound(changed);
  }
}

TEST_CASE("random bytes are not a model") {
  Random random(6);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> bytes(1 + random.Below(200));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.Bits());
    CheckSound(bytes);
  }
}

TEST_CASE("a real model cut off at 200 places is refused") {
  std::ifstream file(KDEQUANT_BINARY_DIR "/assets/efficientnet-lite0.onnx", std::ios::binary);
  if (!file) {
    MESSAGE("skipped: the bundled model is not built (scripts/fetch-model)");
    return;
  }
  const std::vector<std::uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  CHECK(ReadOnnx(bytes).has_value());
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(!ReadOnnx(std::span(bytes).first(bytes.size() * i / 200)));
  }
}

}  // namespace
}  // namespace kdequant::onnx
