#include "quantize_options.h"

#include <doctest/doctest.h>

#include <functional>

namespace kdequant {
namespace {

Result<QuantizeOptions> With(const std::function<void(QuantizeArguments&)>& change) {
  QuantizeArguments arguments;
  change(arguments);
  return OptionsFrom(arguments);
}

TEST_CASE("Without options a network gets what the help promises") {
  const auto options = OptionsFrom({});
  REQUIRE(options.has_value());
  CHECK(options->design.method == Method::kKdeLm);
  CHECK(options->design.sampling.count == 1024);
  CHECK(options->design.density.factor == 0.5);
  CHECK(options->granularity == Granularity::kChannelScale);
  CHECK(options->calibration == Calibration::kSynthetic);
  CHECK(options->picture_count == 64);
  CHECK(options->compensation);
  CHECK(options->activations == ActivationMode::kStatic);
  CHECK(options->bias_correction);
  CHECK(options->fits == 1);
  CHECK(options->sweeps == 0);
  CHECK(!options->widen);
  CHECK(options->codebooks == 16);
}

TEST_CASE("What was asked for wins over the effort") {
  const auto plain = With([](auto& a) { a.effort = "plain"; });
  CHECK(plain->calibration == Calibration::kNone);
  CHECK(plain->activations == ActivationMode::kDynamic);
  const auto pictures = With([](auto& a) {
    a.effort = "plain";
    a.calibration = "synthetic:64";
  });
  CHECK(pictures->calibration == Calibration::kSynthetic);
  CHECK(pictures->picture_count == 64);
  CHECK(pictures->activations == ActivationMode::kStatic);
  CHECK(!pictures->bias_correction);  // the effort's
  CHECK(With([](auto& a) { a.bits = 3; })->design.levels == 8);
  CHECK(With([](auto& a) { a.samples = "all"; })->design.sampling.count == 0);
  const auto none = With([](auto& a) { a.calibration = "none"; });
  CHECK(!none->bias_correction);
  CHECK(!none->compensation);
  CHECK(With([](auto& a) { a.effort = "best"; })->picture_count == 256);
  CHECK(With([](auto& a) { a.effort = "best"; })->fits == 3);
  CHECK(With([](auto& a) { a.effort = "plain"; })->widen == 0);
  const auto own = With([](auto& a) {
    a.effort = "best";
    a.codebooks = 4;
    a.fits = 0;
    a.sweeps = 5;
    a.widen = 50;
  });
  CHECK(own->codebooks == 4);
  CHECK(own->fits == 0);
  CHECK(own->sweeps == 5);
  CHECK(own->widen == 0.5);
  CHECK(With([](auto& a) { a.effort = "plain"; })->codebooks == 1);
  CHECK(!With([](auto& a) { a.codebooks = 0; }));
  CHECK(!With([](auto& a) { a.codebooks = 17; }));
  CHECK(!With([](auto& a) { a.fits = -1; }));
  CHECK(!With([](auto& a) { a.sweeps = 101; }));
  CHECK(!With([](auto& a) { a.widen = -1; }));
  CHECK(!With([](auto& a) { a.compensation = "off"; })->compensation);
  CHECK(With([](auto& a) {
          a.effort = "fast";
          a.compensation = "on";
        })->compensation);
}

TEST_CASE("Wrong options name the choices") {
  const auto message = [](const std::function<void(QuantizeArguments&)>& change) {
    const auto options = With(change);
    REQUIRE(!options.has_value());
    CHECK(options.error().code == ErrorCode::kUsage);
    return options.error().message;
  };
  for (const int bits : {1, 9, -4}) CHECK(message([&](auto& a) { a.bits = bits; }).find("2 to 8") != std::string::npos);
  CHECK(message([](auto& a) { a.overrides = {"x"}; }).find("GLOB=option:value") != std::string::npos);
  CHECK(message([](auto& a) { a.compensation = "yes"; }).find("on or off") != std::string::npos);
  CHECK(message([](auto& a) {
          a.compensation = "on";
          a.calibration = "none";
        }).find("needs pictures") != std::string::npos);
  CHECK(message([](auto& a) { a.method = "kmeans"; }).find("kde-lm") != std::string::npos);
  CHECK(message([](auto& a) { a.granularity = "row"; }).find("channel-scale") != std::string::npos);
  CHECK(message([](auto& a) { a.sampling = "all"; }).find("stratified") != std::string::npos);
  CHECK(message([](auto& a) { a.bandwidth = "scott"; }).find("silverman") != std::string::npos);
  CHECK(message([](auto& a) { a.calibration = "/no/such/folder"; }).find("/no/such/folder") != std::string::npos);
  for (const char* samples : {"0", "-5", "many", ""}) CHECK(!With([&](auto& a) { a.samples = samples; }).has_value());
  for (const char* calibration : {"synthetic:", "synthetic:0", "synthetic:x", "synthetic:99999"}) {
    CHECK(!With([&](auto& a) { a.calibration = calibration; }).has_value());
  }
  for (const double factor : {0.0, -1.0}) CHECK(!With([&](auto& a) { a.bandwidth_factor = factor; }).has_value());
  CHECK(message([](auto& a) {
          a.calibration = "none";
          a.activations = "static";
        }).find("static activations need pictures") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
