// Equally spaced levels, and NF4's fixed table: what other quantizers use.
#include <algorithm>
#include <cmath>
#include <optional>

#include "kdequant/codebook/design.h"
#include "kdequant/codebook/distortion.h"

namespace kdequant {
namespace {

// Source: Dettmers, Pagnoni, Holtzman and Zettlemoyer (2023), "QLoRA", appendix E.
constexpr double kNf4[] = {-1.0,
                           -0.6961928009986877,
                           -0.5250730514526367,
                           -0.39491748809814453,
                           -0.28444138169288635,
                           -0.18477343022823334,
                           -0.09105003625154495,
                           0.0,
                           0.07958029955625534,
                           0.16093020141124725,
                           0.24611230194568634,
                           0.33791524171829224,
                           0.44070982933044434,
                           0.5626170039176941,
                           0.7229568362236023,
                           1.0};

Codebook UniformLevels(double low, double high, int levels) {
  Codebook codebook;
  for (int i = 0; i < levels; ++i) {
    const double part = static_cast<double>(i) / (levels - 1);
    codebook.levels.push_back(low * (1 - part) + high * part);
  }
  return codebook;
}

// The ends of the uniform levels that fit the present cells best (least squares), if it can be told.
struct Ends {
  double low, high;
};

std::optional<Ends> FitToCells(const CumulativeMoments& moments, const Codebook& codebook) {
  // Minimize sum mass_i (mean_i - low (1 - p_i) - high p_i)^2.
  double aa = 0, ab = 0, bb = 0, am = 0, bm = 0;
  CumulativeMoments::Sums before;
  const std::size_t n = codebook.levels.size();
  for (std::size_t i = 0; i < n; ++i) {
    const CumulativeMoments::Sums upto =
        i + 1 < n ? moments.Below((codebook.levels[i] + codebook.levels[i + 1]) / 2) : moments.Total();
    const CellMoments cell = moments.Difference(before, upto);
    before = upto;
    const double b = static_cast<double>(i) / static_cast<double>(n - 1);
    const double a = 1 - b;
    aa += cell.mass * a * a;
    ab += cell.mass * a * b;
    bb += cell.mass * b * b;
    am += cell.mass * a * cell.mean;
    bm += cell.mass * b * cell.mean;
  }
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return std::nullopt;
  return Ends{std::clamp((am * bb - bm * ab) / determinant, moments.min(), moments.max()),
              std::clamp((bm * aa - am * ab) / determinant, moments.min(), moments.max())};
}

}  // namespace

Result<Codebook> DesignUniformMinMax(const CumulativeMoments& moments, int levels) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  return UniformLevels(moments.min(), moments.max(), levels);
}

Result<Codebook> DesignUniformMse(const CumulativeMoments& moments, int levels) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  const double middle = moments.Pieces(0, moments.pieces()).mean;
  Codebook best = UniformLevels(moments.min(), moments.max(), levels);
  double least = MeanSquaredError(moments, best);
  const auto keep_if_better = [&](const Ends& ends) {
    if (!(ends.high > ends.low)) return false;
    Codebook candidate = UniformLevels(ends.low, ends.high, levels);
    const double error = MeanSquaredError(moments, candidate);
    if (!(error < least)) return false;
    least = error;
    best = std::move(candidate);
    return true;
  };
  // Shrink the range towards the mean, then fit offset and spacing to the cells until nothing improves.
  for (double share = 0.99; share > 0.005; share *= 0.99) {
    keep_if_better({middle + share * (moments.min() - middle), middle + share * (moments.max() - middle)});
  }
  for (int i = 0; i < 200; ++i) {
    const auto ends = FitToCells(moments, best);
    if (!ends || !keep_if_better(*ends)) break;
  }
  return best;
}

Result<Codebook> DesignNf4(double largest, int levels) {
  if (levels != 16) return Fail(ErrorCode::kUsage, "nf4 is a table of 16 levels; use --bits 4");
  Codebook codebook;
  for (const double level : kNf4) codebook.levels.push_back(level * largest);
  return codebook;
}

}  // namespace kdequant
