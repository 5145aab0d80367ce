// kdequant/density/bandwidth.h
// How wide a kernel to lay over each sampled weight.
#ifndef KDEQUANT_DENSITY_BANDWIDTH_H_
#define KDEQUANT_DENSITY_BANDWIDTH_H_

#include <string_view>

#include "kdequant/base/result.h"
#include "kdequant/density/grid.h"
#include "kdequant/density/sample.h"

namespace kdequant {

enum class BandwidthRule {
  kSilverman,  ///< Rule of thumb.
  kIsj,        ///< Improved Sheather-Jones plug-in: finds several modes.
  kExplicit,   ///< A number of the caller's.
};

/// The names of the command line: "silverman", "isj"; "explicit" for the third.
std::string_view BandwidthRuleName(BandwidthRule rule);
/// Errors: kUsage, naming the choices.
Result<BandwidthRule> ParseBandwidthRule(std::string_view name);

/// Silverman's rule of thumb, 0.9 min(s, IQR / 1.34) n^(-1/5), in the units of the sample.
///
/// Weighted: s and IQR are weighted, and n is Kish's effective size (sum w)^2 / (sum w^2), because a stratified sample
/// of 1,024 weights carries its tails with small weights and must not be smoothed as if it were 1,024 equal votes. A
/// pruned layer has IQR 0: then s alone is used. The result is never below one step of `grid`.
///
/// Errors: kEmptySample, kConstantSample (every weight equal: there is nothing to estimate).
/// Source: Silverman (1986), Density Estimation, eq. 3.31. Not scipy's `silverman`, which is 1.06 s n^(-1/5); the same
/// as statsmodels' `bw_silverman` up to its quartiles (numpy's interpolated ones for equal weights, as here).
Result<double> SilvermanBandwidth(const Sample& sample, const Grid& grid);

/// The improved Sheather-Jones bandwidth: the fixed point of a five-stage plug-in estimate, computed in the cosine
/// transform of the binned sample. It assumes no normal reference, so it keeps two modes apart where Silverman's rule
/// merges them; on unimodal weights it comes out narrower than the rule.
///
/// The sample is binned on 1,024 points over its range widened by a tenth at both ends, as in the authors' code. n is
/// Kish's effective size. Where the fixed point does not exist (few different values) the result is Silverman's. The
/// result is never below one step of `grid`.
///
/// Errors: as SilvermanBandwidth.
/// Source: Botev, Grotowski and Kroese (2010), "Kernel density estimation via diffusion", Annals of Statistics 38(5),
/// algorithm 1.
Result<double> SheatherJonesBandwidth(const Sample& sample, const Grid& grid);

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_BANDWIDTH_H_
