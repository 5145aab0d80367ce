// kdequant/codebook/design.h
// Which levels to round a layer's weights to.
#ifndef KDEQUANT_CODEBOOK_DESIGN_H_
#define KDEQUANT_CODEBOOK_DESIGN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kdequant/base/result.h"
#include "kdequant/codebook/codebook.h"
#include "kdequant/density/density.h"
#include "kdequant/density/moments.h"
#include "kdequant/density/sample.h"
#include "kdequant/density/scaled_weights.h"

namespace kdequant {

enum class Method {
  kKdeLm,          ///< Lloyd-Max on a kernel density estimate of a sample.
  kKdeKm,          ///< k-means on the same.
  kLloydMax,       ///< Lloyd-Max on all weights.
  kKMeans,         ///< k-means on all weights.
  kOptimal,        ///< The least error there is, by dynamic programming on all weights.
  kUniformMinMax,  ///< Equally spaced from the smallest to the largest weight.
  kUniformMse,     ///< Equally spaced, over the range with the least error.
  kNf4,            ///< NF4's fixed table, scaled by the largest |weight|.
};

/// The names of the command line: "kde-lm", "kde-km", "lloyd-max", "k-means", "optimal", "uniform-minmax",
/// "uniform-mse", "nf4".
std::string_view MethodName(Method method);
/// Errors: kUsage, naming the choices.
Result<Method> ParseMethod(std::string_view name);

/// Whether the method estimates a density from a sample, so that sampling and bandwidth matter to it.
constexpr bool UsesDensity(Method method) { return method == Method::kKdeLm || method == Method::kKdeKm; }

struct DesignOptions {
  Method method = Method::kKdeLm;
  int levels = 16;                ///< 2 to 256
  SamplingOptions sampling = {};  ///< `seed` also seeds k-means
  DensityOptions density = {};
};

struct Design {
  Codebook codebook = {};
  std::size_t weights_scanned = 0;  ///< read for range, histogram or sample
  std::size_t weights_sampled = 0;  ///< that the levels were designed on; 0 for uniform-minmax and nf4
  double bandwidth = 0;             ///< of the density, in the units of the weights; 0 where there is none
};

/// Designs the levels for one layer's (or channel's) weights.
///
/// The levels lie between the smallest and the largest weight (but for NF4's table, which is symmetric). Where there
/// are no more different weights than levels, the levels are exactly those, the last one repeated: equal weights are no
/// error here. Such layers are recognised by reading all weights, or the sample where that is all that is read.
///
/// Methods on all weights work on the weights themselves up to 65,536 of them, and beyond on a histogram of moments
/// with as many bins (16,384 for `optimal`), which moves the error by less than 1e-5 of itself.
///
/// About 1 ms for KDE-LM from 1,024 samples, plus 2 ns for each weight scanned.
///
/// Errors: kEmptySample (no weights), kNotFinite (among those read; the index is named), kUsage (levels out of range,
/// nf4 with other than 16 levels, density options out of their range).
Result<Design> DesignCodebook(const ScaledWeights& weights, const DesignOptions& options = {});

/// What DesignCodebook does for kde-lm and kde-km once the sample is drawn (`options.sampling` gives k-means its seed):
/// for a sample that was drawn elsewhere. The density is returned for looking at.
///
/// Errors: kEmptySample, kConstantSample (every value equal), kUsage.
struct SampleDesign {
  Codebook codebook = {};
  Density density = {};
};
Result<SampleDesign> DesignOnSample(const Sample& sample, const DesignOptions& options = {});

/// The method's designer on any distribution: kde-lm and lloyd-max are the same here, and so are kde-km and k-means,
/// because these names differ in where the distribution comes from. NF4's table spans the farther end of the
/// distribution. Errors: kUsage.
Result<Codebook> DesignOnDistribution(const CumulativeMoments& moments, const DesignOptions& options = {});

// The designers alone, on any distribution: an estimated density, a histogram, a sample or all weights.
// Errors: kUsage for a number of levels outside 2..256.

/// Lloyd's iteration from the coarse optimum (CoarseOptimalStart in kdequant/codebook/lloyd_max.h).
/// On every layer measured it ends within 0.005 dB of DesignOptimal.
Result<Codebook> DesignLloydMax(const CumulativeMoments& moments, int levels);
inline Result<Codebook> DesignLloydMax(const Density& density, int levels) {
  return DesignLloydMax(CumulativeMoments(density), levels);
}

/// Eight runs of Lloyd's iteration from k-means++ starts, 30 steps each, and the best of them to the end.
Result<Codebook> DesignKMeans(const CumulativeMoments& moments, int levels, std::uint64_t seed);
inline Result<Codebook> DesignKMeans(const Density& density, int levels, std::uint64_t seed) {
  return DesignKMeans(CumulativeMoments(density), levels, seed);
}

/// The least squared error over the pieces of `moments`: of values exactly; of cells with thresholds at their edges,
/// polished by Lloyd's iteration. Dynamic programming, O(levels n log n) for n pieces by divide and conquer: about 40
/// ms for 16 levels and 16,384 pieces. Source: Bruce (1965); Wu (1991), "Optimal quantization by matrix searching", J.
/// Algorithms 12.
Result<Codebook> DesignOptimal(const CumulativeMoments& moments, int levels);

/// Levels min + i (max - min) / (levels - 1).
Result<Codebook> DesignUniformMinMax(const CumulativeMoments& moments, int levels);

/// Equally spaced levels with ends and spacing of least error: a search over shrunken ranges, then alternating
/// assignment and least-squares fit.
Result<Codebook> DesignUniformMse(const CumulativeMoments& moments, int levels);

/// NF4's 16 levels times `largest`, the largest |weight|. Errors: kUsage for other than 16 levels.
Result<Codebook> DesignNf4(double largest, int levels = 16);

/// Errors: kUsage for a number of levels outside 2..256.
Result<void> CheckLevels(int levels);

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_DESIGN_H_
