#include "kdequant/vision/preprocess.h"

#include <doctest/doctest.h>

#include <string>

namespace kdequant {
namespace {

Preprocess Parsed(std::string_view spec, const Preprocess& base = {}) {
  auto result = ParsePreprocess(spec, base);
  REQUIRE_MESSAGE(result.has_value(), std::string(spec));
  return *result;
}

TEST_CASE("The presets are the three usual normalizations and leave the geometry alone") {
  const Preprocess base{.size = 32, .resize = 40};
  CHECK(Parsed("tf", base) ==
        Preprocess{.size = 32, .resize = 40, .scale = 1, .mean = {127, 127, 127}, .std = {128, 128, 128}});
  CHECK(Parsed("imagenet", base) == Preprocess{.size = 32,
                                               .resize = 40,
                                               .scale = 1.0F / 255,
                                               .mean = {0.485F, 0.456F, 0.406F},
                                               .std = {0.229F, 0.224F, 0.225F}});
  CHECK(Parsed("caffe", base) ==
        Preprocess{.size = 32, .resize = 40, .scale = 1, .mean = {103.939F, 116.779F, 123.68F}, .bgr = true});
}

TEST_CASE("Later parts of a SPEC win, and spaces and empty parts do no harm") {
  CHECK(Parsed("caffe,tf") == Parsed("tf"));
  CHECK(Parsed("size=100, tf ,size=224,,resize=0,") == Parsed("tf,size=224,resize=0"));
  CHECK(Parsed("imagenet,order=bgr").bgr);
  CHECK(Parsed("scale=1/255") == Parsed("scale=0.003921569"));
  CHECK(Parsed("") == Preprocess{});
}

TEST_CASE("A formatted SPEC reads back to exactly the same settings") {
  for (const char* spec : {"tf", "imagenet,resize=0", "caffe,size=299,resize=320",
                           "mean=0.1:1e-20:123456.78,std=3:0.3333333:1e9,scale=-2.5,order=bgr,size=1,resize=8192"}) {
    const Preprocess settings = Parsed(spec);
    const Preprocess other_base{.size = 7, .resize = 9, .scale = 3, .mean = {1, 2, 3}, .std = {4, 5, 6}, .bgr = true};
    CHECK(Parsed(FormatPreprocess(settings), other_base) == settings);
  }
  CHECK(FormatPreprocess(Parsed("tf,resize=0")) ==
        "size=224,resize=0,scale=1,mean=127:127:127,std=128:128:128,order=rgb");
}

TEST_CASE("A wrong SPEC is refused, and the sentence names the part that is wrong") {
  for (
      const char* part :
      {"keras",        "size=",      "size=0",    "size=-1",    "size=224px", "size=99999", "size=99999999999999999999",
       "resize=-1",    "scale=0",    "scale=nan", "scale=inf",  "scale=1/0",  "scale=",     "mean=1:2",
       "mean=1:2:3:4", "mean=a:b:c", "std=0:1:1", "std=1:-1:1", "order=grb",  "crop=224",   "=",
       "size"}) {
    CAPTURE(part);
    const auto result = ParsePreprocess("tf," + std::string(part) + ",resize=0");
    REQUIRE(!result.has_value());
    CHECK(result.error().code == ErrorCode::kUsage);
    CHECK(result.error().message.find("\"" + std::string(part) + "\"") != std::string::npos);
  }
}

TEST_CASE("The default proportions are 256 to 224") {
  CHECK(DefaultPreprocess(224) == Preprocess{});
  CHECK(DefaultPreprocess(240).resize == 274);
}

TEST_CASE("A tensor holds (pixel * scale - mean) / std, channel by channel or pixel by pixel, in the network's order") {
  // Two pixels a row, two rows.
  const Image image{.width = 2, .height = 2, .rgb = {0, 1, 2, 10, 11, 12, 20, 21, 22, 255, 254, 253}};
  const Preprocess rgb{.size = 2, .resize = 0, .scale = 0.5F, .mean = {1, 2, 3}, .std = {1, 2, 4}};
  CHECK(ToTensor(image, rgb) ==
        std::vector<float>{-1, 4, 9, 126.5F, -0.75F, 1.75F, 4.25F, 62.5F, -0.5F, 0.75F, 2, 30.875F});
  CHECK(ToTensor(image, rgb, TensorLayout::kNhwc) ==
        std::vector<float>{-1, -0.75F, -0.5F, 4, 1.75F, 0.75F, 9, 4.25F, 2, 126.5F, 62.5F, 30.875F});
  // Blue first: mean[0] is blue's.
  const Preprocess bgr{.size = 2, .resize = 0, .scale = 1, .mean = {2, 1, 0}, .bgr = true};
  CHECK(ToTensor(image, bgr) == std::vector<float>{0, 10, 20, 251, 0, 10, 20, 253, 0, 10, 20, 255});
}

}  // namespace
}  // namespace kdequant
