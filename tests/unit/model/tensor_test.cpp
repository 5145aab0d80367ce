#include "kdequant/model/tensor.h"

#include <doctest/doctest.h>

#include <vector>

namespace kdequant {
namespace {

TEST_CASE("Element counts multiply, refuse open dimensions and do not overflow") {
  CHECK(ElementCount({}).value() == 1);
  CHECK(ElementCount({2, 3, 5}).value() == 30);
  CHECK(ElementCount({0, 1 << 30, 1 << 30, 1 << 30}).value() == 0);
  CHECK(ElementCount({0x7fffffff}).value() == 0x7fffffff);
  for (const Shape& shape : {Shape{0x80000000}, Shape{65536, 65536}, Shape{1LL << 62, 1LL << 62}, Shape{2, -1}})
    CHECK(ElementCount(shape).error().code == ErrorCode::kLimit);
}

TEST_CASE("Shapes are written as people write them") {
  CHECK(ShapeToString({1, 3, 224, 224}) == "1x3x224x224");
  CHECK(ShapeToString({kUnknownDimension, 3}) == "?x3");
  CHECK(ShapeToString({}) == "scalar");
}

CodebookTensor FourWeights() {
  CodebookTensor tensor{
      .shape = {2, 2}, .bits = 2, .indices = {0, 0}, .codes = {-100, -1, 2, 127}, .steps = {0.5F}, .scales = {}};
  for (std::size_t i = 0; i < 4; ++i) tensor.SetIndexAt(i, static_cast<std::uint8_t>(i));
  return tensor;
}

TEST_CASE("A codebook tensor stands for scale * (code * step)") {
  CodebookTensor tensor = FourWeights();
  CHECK(Dequantize(tensor)->values == std::vector<float>{-50, -0.5F, 1, 63.5F});
  tensor.scales = {1, 2};
  CHECK(Dequantize(tensor)->values == std::vector<float>{-50, -0.5F, 2, 127});
  // Two tables, of which both channels use the second.
  tensor.codes.insert(tensor.codes.end(), {-8, -7, 7, 8});
  tensor.steps.push_back(1);
  tensor.table_of = {1, 1};
  CHECK(Dequantize(tensor)->values == std::vector<float>{-8, -7, 14, 16});
  // A table for each output channel.
  tensor = FourWeights();
  tensor.scales = {};
  tensor.codes.insert(tensor.codes.end(), {-4, -3, 3, 4});
  tensor.steps.push_back(1);
  CHECK(Dequantize(tensor)->values == std::vector<float>{-50, -0.5F, 3, 4});
}

TEST_CASE("Indices of up to 4 bits lie two in a byte, the first in the low nibble") {
  CHECK(FourWeights().indices == std::vector<std::uint8_t>{0x10, 0x32});
  CodebookTensor wide{.shape = {3}, .bits = 5, .indices = {0, 0, 0}, .codes = {}, .steps = {}, .scales = {}};
  wide.SetIndexAt(1, 31);
  CHECK(wide.indices == std::vector<std::uint8_t>{0, 31, 0});
  CHECK(wide.IndexAt(1) == 31);
}

TEST_CASE("8-bit weights have a scale for each output channel") {
  const Int8Tensor tensor{.shape = {2, 3}, .values = {1, -2, 3, -127, 0, 127}, .scales = {0.5F, 2}};
  CHECK(Dequantize(tensor)->values == std::vector<float>{0.5F, -1, 1.5F, -254, 0, 254});
}

TEST_CASE("A single channel is dequantized like all of them") {
  CodebookTensor codebook = FourWeights();
  codebook.scales = {1, 2};
  std::vector<float> channel(2);
  DequantizeChannel(codebook, 1, channel);
  CHECK(channel == std::vector<float>{2, 127});
  codebook.codes.insert(codebook.codes.end(), {-4, -3, 3, 4});
  codebook.steps.push_back(1);
  DequantizeChannel(codebook, 1, channel);
  CHECK(channel == std::vector<float>{6, 8});
  channel.resize(3);
  DequantizeChannel(Int8Tensor{.shape = {2, 3}, .values = {1, -2, 3, -127, 0, 127}, .scales = {0.5F, 2}}, 1, channel);
  CHECK(channel == std::vector<float>{-254, 0, 254});
  DequantizeChannel(FloatTensor{.shape = {2, 3}, .values = {1, 2, 3, 4, 5, 6}}, 1, channel);
  CHECK(channel == std::vector<float>{4, 5, 6});
}

TEST_CASE("Stored bytes count indices, levels and scales") {
  CodebookTensor tensor = FourWeights();
  CHECK(StoredBytes(tensor) == 2 + 4 * 2);  // these levels are exact in 16 bits
  tensor.steps = {0.1F};
  CHECK(StoredBytes(tensor) == 2 + 4 * sizeof(float));
  tensor.scales = {1, 2};
  CHECK(StoredBytes(tensor) == 2 + 4 * sizeof(float) + 2 * 2);
  tensor.table_of = {0, 0};
  CHECK(StoredBytes(tensor) == 2 + 4 * sizeof(float) + 2 * 2 + 2);
  CHECK(StoredBytes(FloatTensor{.shape = {3}, .values = {1, 2, 3}}) == 12);
  CHECK(StoredBytes(Int8Tensor{.shape = {1, 3}, .values = {1, 2, 3}, .scales = {1}}) == 3 + 2);
}

TEST_CASE("Integers do not stand for weights") {
  CHECK(Dequantize(IntTensor{.shape = {1}, .values = {1}}).error().code == ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace kdequant
