#include "kdequant/density/bandwidth.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "binning.h"
#include "dct.h"
#include "kdequant/base/math.h"

namespace kdequant {
namespace {

constexpr std::size_t kIsjPoints = 1024;

// Weighted standard deviation with the correction n / (n - 1) at the effective size n, so that equal weights give the
// ordinary sample deviation.
double StandardDeviation(const Sample& sample) {
  double total = 0;
  double sum = 0;
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    total += sample.weights[i];
    sum += sample.weights[i] * (sample.values[i] - sample.min);
  }
  const double mean = sum / total;
  double squares = 0;
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    const double d = sample.values[i] - sample.min - mean;
    squares += sample.weights[i] * d * d;
  }
  const double n = sample.EffectiveSize();
  return Sqrt(squares / total * (n > 1 ? n / (n - 1) : 1));
}

// The value below which `share` of the importance lies. Between values it is interpolated: value i sits at the
// importance of those before it plus a part of its own that goes from none (the first) to all (the last), which for
// equal weights is numpy's default, (n - 1) share.
double Quantile(const Sample& sample, double share) {
  const std::size_t n = sample.values.size();
  const auto& w = sample.weights;
  double total = 0;
  for (const double weight : w) total += weight;
  const double last = total - (w.front() + w.back()) / 2;
  double position = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double next = position + (w[i] + w[i + 1]) / 2;
    if (next >= share * last && next > position) {
      const double part = (share * last - position) / (next - position);
      return sample.values[i] + part * (sample.values[i + 1] - sample.values[i]);
    }
    position = next;
  }
  return sample.values.back();
}

std::optional<Error> CheckNotConstant(const Sample& sample) {
  if (sample.values.empty()) return Error{ErrorCode::kEmptySample, "the sample is empty", {}};
  if (sample.values.front() == sample.values.back()) {
    return Error{ErrorCode::kConstantSample, "every weight is equal: there is no density to estimate", {}};
  }
  return std::nullopt;
}

// 2 pi^(2s) sum_k k^(2s) a_k^2 exp(-k^2 pi^2 t): the squared norm of the s-th derivative of the density smoothed for
// time t, in units of the range. exp(-k^2 c) follows by products: its ratio from k to k+1 is exp(-(2k+1) c).
double DerivativeNorm(std::span<const double> squares, int s, double t) {
  const double c = kPi * kPi * t;
  const double step = Exp(-2 * c);
  double factor = Exp(-c);
  double ratio = factor * step;
  double sum = 0;
  for (std::size_t k = 1; k < squares.size() && factor > 1e-60; ++k) {
    const double pk = kPi * static_cast<double>(k);
    const double pk2 = pk * pk;
    double power = pk2;
    for (int i = 1; i < s; ++i) power *= pk2;
    sum += power * squares[k] * factor;
    factor *= ratio;
    ratio *= step;
  }
  return 2 * sum;
}

// t minus the plug-in estimate of the best t that follows from t by five stages; the root is the bandwidth squared.
double FixedPointError(std::span<const double> squares, double n, double t) {
  double norm = DerivativeNorm(squares, 7, t);
  for (int s = 6; s >= 2; --s) {
    double odd_factorial = 1;  // 1 * 3 * ... * (2 s - 1)
    for (int i = 3; i < 2 * s; i += 2) odd_factorial *= i;
    const double constant = (1 + Pow(0.5, s + 0.5)) / 3;
    const double time = Pow(2 * constant * odd_factorial / Sqrt(2 * kPi) / (n * norm), 2.0 / (3 + 2 * s));
    norm = DerivativeNorm(squares, s, time);
  }
  return t - Pow(2 * n * Sqrt(kPi) * norm, -0.4);
}

// The smallest root, or nothing.
std::optional<double> FixedPoint(std::span<const double> squares, double n) {
  const auto size = static_cast<double>(squares.size());
  double low = 0.1 / (size * size);  // a third of a step
  if (!(FixedPointError(squares, n, low) < 0)) return std::nullopt;
  double high = low;
  for (;;) {
    high *= 1.5;
    if (high > 0.1) return std::nullopt;
    if (FixedPointError(squares, n, high) >= 0) break;
    low = high;
  }
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    (FixedPointError(squares, n, middle) < 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::string_view BandwidthRuleName(BandwidthRule rule) {
  switch (rule) {
    case BandwidthRule::kSilverman: return "silverman";
    case BandwidthRule::kIsj: return "isj";
    case BandwidthRule::kExplicit: return "explicit";
  }
  return "silverman";
}

Result<BandwidthRule> ParseBandwidthRule(std::string_view name) {
  for (const auto rule : {BandwidthRule::kSilverman, BandwidthRule::kIsj}) {
    if (name == BandwidthRuleName(rule)) return rule;
  }
  return Fail(ErrorCode::kUsage, "unknown bandwidth rule \"" + std::string(name) + "\"; use silverman or isj");
}

Result<double> SilvermanBandwidth(const Sample& sample, const Grid& grid) {
  if (auto error = CheckNotConstant(sample)) return std::unexpected(*error);
  const double deviation = StandardDeviation(sample);
  const double quartiles = (Quantile(sample, 0.75) - Quantile(sample, 0.25)) / 1.34;
  const double spread = quartiles > 0 ? std::min(deviation, quartiles) : deviation;
  return std::max(0.9 * spread * Pow(sample.EffectiveSize(), -0.2), grid.step);
}

Result<double> SheatherJonesBandwidth(const Sample& sample, const Grid& grid) {
  if (auto error = CheckNotConstant(sample)) return std::unexpected(*error);
  const double range = 1.2 * (sample.max - sample.min);
  const Grid wide{.low = sample.min - range / 12, .step = range / kIsjPoints, .size = kIsjPoints};
  std::vector<double> squares = BinLinearly(sample, wide);
  Dct(kIsjPoints).Forward(squares);
  const double total = squares[0];
  for (auto& value : squares) value *= value / (total * total);
  const auto time = FixedPoint(squares, sample.EffectiveSize());
  if (!time) return SilvermanBandwidth(sample, grid);
  return std::max(Sqrt(*time) * range, grid.step);
}

}  // namespace kdequant
