#include "kdequant/classify/evaluation.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "classify/networks.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

// Pictures in memory; a picture without pixels is broken.
class TestImages final : public ImageSource {
 public:
  void Add(Image image, std::optional<std::int64_t> label) {
    images_.push_back(std::move(image));
    labels_.push_back(label);
  }
  std::size_t size() const override { return images_.size(); }
  std::string Name(std::size_t index) const override { return "picture " + std::to_string(index); }
  std::optional<std::int64_t> Label(std::size_t index) const override { return labels_[index]; }
  Result<Image> Load(std::size_t index) const override {
    if (images_[index].rgb.empty()) return Fail(ErrorCode::kBadInput, Name(index) + " is broken");
    return images_[index];
  }

 private:
  std::vector<Image> images_;
  std::vector<std::optional<std::int64_t>> labels_;
};

// 60 plain pictures, each labelled with its strongest colour, number 7 broken.
std::shared_ptr<const ImageSource> ColourPictures() {
  auto images = std::make_shared<TestImages>();
  Random random(3);
  for (int i = 0; i < 60; ++i) {
    std::uint8_t colour[3];
    for (auto& c : colour) c = static_cast<std::uint8_t>(random.Below(256));
    const auto strongest = std::max_element(colour, colour + 3) - colour;
    images->Add(i == 7 ? Image{} : Plain(9, 8, colour[0], colour[1], colour[2]), strongest);
  }
  return images;
}

EvaluationCounts Evaluated(const EvaluationOptions& options, const Graph& model, const Graph* reference = nullptr) {
  auto evaluation = Evaluation::Create(model, reference, ColourPictures(), options);
  REQUIRE_MESSAGE(evaluation.has_value(), evaluation.error().message);
  REQUIRE(Finish(**evaluation).has_value());
  EvaluationCounts counts = (*evaluation)->counts();
  counts.microseconds = 0;
  return counts;
}

TEST_CASE(
    "A network that sees the strongest colour is right on every picture, and the broken one is skipped and named") {
  const Graph model = ColourNetwork(8, {1, 1, 1});
  auto evaluation = Evaluation::Create(model, nullptr, ColourPictures());
  REQUIRE(evaluation.has_value());
  REQUIRE(Finish(**evaluation).has_value());
  const EvaluationCounts& counts = (*evaluation)->counts();
  CHECK(counts.n == 59);
  CHECK(counts.top1 == 59);
  CHECK(counts.skipped == 1);
  REQUIRE((*evaluation)->skipped().size() == 1);
  CHECK((*evaluation)->skipped()[0].name == "picture 7");
  CHECK((*evaluation)->progress().fraction == 1);
}

TEST_CASE("Counts do not depend on the number of threads, and shards add up to the whole") {
  const Graph model = ColourNetwork(8, {1, 0.8F, 1.1F});
  const Graph reference = ColourNetwork(8, {1, 1, 1});
  const EvaluationCounts one = Evaluated({}, model, &reference);
  CHECK(one.lost > 0);
  CHECK(one.agreement == one.top1);  // the reference is always right
  CHECK(Evaluated({.threads = 4}, model, &reference) == one);
  EvaluationCounts sum;
  for (std::size_t shard = 0; shard < 7; ++shard) sum += Evaluated({.shard = shard, .shards = 7}, model, &reference);
  CHECK(sum == one);
}

TEST_CASE("The reference is given the pictures that the model is given, whatever its own file says") {
  const Graph model = ColourNetwork(8, {1, 1, 1});
  Graph reference = model;
  reference.metadata["kdequant.preprocess"] = "scale=1/255,resize=0,order=bgr";
  const EvaluationCounts counts = Evaluated({}, model, &reference);
  CHECK(counts.agreement == counts.n);
  CHECK(counts.reference_top1 == counts.n);
}

TEST_CASE("A limit takes the first pictures") {
  CHECK(Evaluated({.limit = 10}, ColourNetwork(8, {1, 1, 1})).n == 9);  // number 7 is broken
  CHECK(Evaluated({.limit = 1000}, ColourNetwork(8, {1, 1, 1})).n == 59);
}

TEST_CASE("A label that is no class of the network is refused before any work, unless the offset makes it one") {
  const Graph model = ColourNetwork(8, {1, 1});
  const auto refused = Evaluation::Create(model, nullptr, ColourPictures());
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::kBadInput);
  CHECK(refused.error().message.find("has class 2, but the network has 2 classes") != std::string::npos);
  CHECK(!Evaluation::Create(ColourNetwork(8, {1, 1, 1}), nullptr, ColourPictures(), {.label_offset = -1}).has_value());
}

TEST_CASE("A reference with other classes, a shard that does not exist and an empty source are refused") {
  const Graph three = ColourNetwork(8, {1, 1, 1});
  const Graph two = ColourNetwork(8, {1, 1});
  CHECK(Evaluation::Create(three, &two, ColourPictures()).error().code == ErrorCode::kBadInput);
  CHECK(Evaluation::Create(three, nullptr, ColourPictures(), {.shard = 3, .shards = 3}).error().code ==
        ErrorCode::kUsage);
  CHECK(Evaluation::Create(three, nullptr, std::make_shared<TestImages>()).error().code == ErrorCode::kBadInput);
}

TEST_CASE("An evaluation of broken pictures alone fails, and fails again when asked again") {
  auto images = std::make_shared<TestImages>();
  images->Add({}, 0);
  images->Add({}, 1);
  auto evaluation = Evaluation::Create(ColourNetwork(8, {1, 1, 1}), nullptr, images, {.threads = 2});
  REQUIRE(evaluation.has_value());
  const auto run = Finish(**evaluation);
  REQUIRE(!run.has_value());
  CHECK(run.error().message.find("picture 0 is broken") != std::string::npos);
  CHECK(!(*evaluation)->Step(0).has_value());
}

TEST_CASE("A step of no budget evaluates one picture, so that somebody can watch and stop") {
  auto evaluation = Evaluation::Create(ColourNetwork(8, {1, 1, 1}), nullptr, ColourPictures());
  REQUIRE(evaluation.has_value());
  CHECK((*evaluation)->Step(0) == false);
  CHECK((*evaluation)->counts().n == 1);
  CHECK((*evaluation)->progress().fraction == doctest::Approx(1.0 / 60));
}

}  // namespace
}  // namespace kdequant
