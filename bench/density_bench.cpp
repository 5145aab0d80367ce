// What designing levels on a sample costs and saves, against iterating over all weights.
//
//     density_bench WEIGHTS.f32... [--method NAME] [--sampling NAME] [--samples N] [--bandwidth NAME] [--factor F]
//                                  [--grid N] [--seeds N] [--levels N] [--times on|off]
//
// Each file is one layer's weights, raw little-endian float32. Prints a line per layer: the loss in dB of SQNR against
// Lloyd-Max on all weights (positive: worse) and both times; then their mean and worst.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/codebook/design.h"
#include "kdequant/codebook/distortion.h"
#include "kdequant/codebook/lloyd_max.h"

namespace kdequant {
namespace {

struct Settings {
  std::vector<std::string> files;
  DesignOptions design;
  int seeds = 1;
  bool compare_times = true;
};

template <typename T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "error: %s\n", result.error().message.c_str());
  std::exit(2);
}

Settings ParseArguments(std::span<char*> arguments) {
  Settings settings;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (!name.starts_with("--")) {
      settings.files.emplace_back(name);
      continue;
    }
    if (i + 1 == arguments.size()) {
      std::fprintf(stderr, "error: %s needs a value\n", arguments[i]);
      std::exit(2);
    }
    const char* value = arguments[++i];
    if (name == "--method") settings.design.method = OrExit(ParseMethod(value));
    if (name == "--sampling") settings.design.sampling.sampling = OrExit(ParseSampling(value));
    if (name == "--samples") settings.design.sampling.count = static_cast<std::size_t>(std::atoll(value));
    if (name == "--bandwidth") settings.design.density.rule = OrExit(ParseBandwidthRule(value));
    if (name == "--factor") settings.design.density.factor = std::atof(value);
    if (name == "--grid") settings.design.density.grid_points = static_cast<std::size_t>(std::atoll(value));
    if (name == "--seeds") settings.seeds = std::atoi(value);
    if (name == "--levels") settings.design.levels = std::atoi(value);
    if (name == "--times") settings.compare_times = value != std::string_view("off");
  }
  return settings;
}

std::vector<float> ReadWeights(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<float> weights(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), weights.size() * sizeof(float), reinterpret_cast<char*>(weights.data()));
  return weights;
}

template <typename F>
double MillisecondsOf(F&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Lloyd-Max as the textbook has it: every iteration reads every weight. Stops at 1e-6, long before our own designer.
Codebook IterateOverAllWeights(std::span<const float> weights, const Codebook& start) {
  Codebook codebook = start;
  double before = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 300; ++step) {
    std::vector<double> sums(codebook.levels.size());
    std::vector<double> counts(codebook.levels.size());
    double error = 0;
    for (const float weight : weights) {
      const auto w = static_cast<double>(weight);
      const std::size_t index = codebook.NearestLevel(w);
      sums[index] += w;
      counts[index] += 1;
      error += (w - codebook.levels[index]) * (w - codebook.levels[index]);
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (counts[i] > 0) codebook.levels[i] = sums[i] / counts[i];
    }
    if (!(error < before * (1 - 1e-6))) break;
    before = error;
  }
  return codebook;
}

struct Outcome {
  double loss_db = 0;
  double design_ms = 0;
  double iterated_ms = 0;
};

Outcome Compare(const std::string& path, const Settings& settings) {
  const std::vector<float> weights = ReadWeights(path);
  DesignOptions full = settings.design;
  full.method = Method::kLloydMax;
  const Codebook reference = OrExit(DesignCodebook(weights, full)).codebook;
  const Distortion reference_error = MeasureDistortion(weights, reference);

  Outcome outcome;
  Design design;
  for (int seed = 1; seed <= settings.seeds; ++seed) {
    DesignOptions options = settings.design;
    options.sampling.seed = static_cast<std::uint64_t>(seed);
    outcome.design_ms += MillisecondsOf([&] { design = OrExit(DesignCodebook(weights, options)); }) / settings.seeds;
    const double loss = reference_error.sqnr_db - MeasureDistortion(weights, design.codebook).sqnr_db;
    outcome.loss_db += (reference_error.mse > 0 ? loss : 0) / settings.seeds;
  }
  if (settings.compare_times) {
    const CumulativeMoments moments(OrExit(DrawSample(weights, settings.design.sampling)));
    const Codebook start{CompandingStart(moments, settings.design.levels)};
    outcome.iterated_ms = MillisecondsOf([&] { IterateOverAllWeights(weights, start); });
  }
  std::printf("%-40s %9zu weights  %6.3f dB  loses %7.4f dB  %8.3f ms, over all weights %9.2f ms\n", path.c_str(),
              weights.size(), reference_error.sqnr_db, outcome.loss_db, outcome.design_ms, outcome.iterated_ms);
  return outcome;
}

int Main(std::span<char*> arguments) {
  const Settings settings = ParseArguments(arguments);
  if (settings.files.empty()) {
    std::fprintf(stderr, "usage: density_bench WEIGHTS.f32... [--method NAME] [--samples N] ...\n");
    return 2;
  }
  Outcome sum;
  double worst = -std::numeric_limits<double>::infinity();
  for (const auto& file : settings.files) {
    const Outcome outcome = Compare(file, settings);
    sum.loss_db += outcome.loss_db;
    sum.design_ms += outcome.design_ms;
    sum.iterated_ms += outcome.iterated_ms;
    worst = std::max(worst, outcome.loss_db);
  }
  std::printf("%zu layers: loses %.4f dB on average, %.4f dB at worst; %.1f ms, over all weights %.1f ms\n",
              settings.files.size(), sum.loss_db / static_cast<double>(settings.files.size()), worst, sum.design_ms,
              sum.iterated_ms);
  return 0;
}

}  // namespace
}  // namespace kdequant

int main(int argc, char** argv) { return kdequant::Main(std::span(argv + 1, static_cast<std::size_t>(argc - 1))); }
