#include "kdequant/classify/input.h"

#include <doctest/doctest.h>

#include "classify/networks.h"

namespace kdequant {
namespace {

TEST_CASE("Both orders of an image tensor are told apart, and what is no picture is refused by its shape") {
  CHECK(ImageInputOf(GraphWithInput({1, 3, 240, 240}))->layout == TensorLayout::kNchw);
  CHECK(ImageInputOf(GraphWithInput({1, 240, 240, 3}))->layout == TensorLayout::kNhwc);
  CHECK(ImageInputOf(GraphWithInput({1, 240, 240, 3}))->size == 240);
  for (const Shape& shape :
       {Shape{1, 784}, Shape{1, 1, 28, 28}, Shape{1, 3, 224, 320}, Shape{2, 3, 8, 8}, Shape{1, 3, 9000, 9000}}) {
    const auto input = ImageInputOf(GraphWithInput(shape));
    REQUIRE(!input.has_value());
    CHECK(input.error().code == ErrorCode::kUnsupported);
    CHECK(input.error().message.find(ShapeToString(shape)) != std::string::npos);
  }
  CHECK(!ImageInputOf(Graph{}).has_value());
}

TEST_CASE("The user's SPEC lies over the file's, and the file's over the usual proportions") {
  Graph graph = GraphWithInput({1, 3, 240, 240});
  CHECK(PreprocessFor(graph) == DefaultPreprocess(240));
  graph.metadata["kdequant.preprocess"] = "tf,resize=300";
  CHECK(PreprocessFor(graph)->mean[0] == 127);
  CHECK(PreprocessFor(graph)->resize == 300);
  CHECK(PreprocessFor(graph, "imagenet,resize=0")->resize == 0);
  CHECK(PreprocessFor(graph, "imagenet")->resize == 300);
  CHECK(PreprocessFor(graph, "imagenet")->mean[0] == 0.485F);
}

TEST_CASE("The network's size beats the file's metadata, and contradicting it on purpose is an error") {
  Graph graph = GraphWithInput({1, 3, 240, 240});
  graph.metadata["kdequant.preprocess"] = "tf,size=224";
  CHECK(PreprocessFor(graph)->size == 240);
  CHECK(PreprocessFor(graph, "size=240")->size == 240);
  const auto wrong = PreprocessFor(graph, "size=224");
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().code == ErrorCode::kUsage);
  CHECK(wrong.error().message.find("240 x 240") != std::string::npos);
}

TEST_CASE("An open size is what the user says, else what the file says, else 224") {
  Graph graph = GraphWithInput({1, 3, kUnknownDimension, kUnknownDimension});
  CHECK(OpenInputSize(graph, "") == 224);
  graph.metadata["kdequant.preprocess"] = "tf,size=260";
  CHECK(OpenInputSize(graph, "") == 260);
  CHECK(OpenInputSize(graph, "imagenet") == 260);
  CHECK(OpenInputSize(graph, "size=300") == 300);
}

TEST_CASE("A wrong SPEC is the user's mistake, a wrong one in the file is the file's") {
  Graph graph = GraphWithInput({1, 3, 224, 224});
  CHECK(PreprocessFor(graph, "keras").error().code == ErrorCode::kUsage);
  graph.metadata["kdequant.preprocess"] = "keras";
  CHECK(PreprocessFor(graph).error().code == ErrorCode::kBadInput);
  CHECK(PreprocessFor(graph).error().message.find("kdequant.preprocess") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
