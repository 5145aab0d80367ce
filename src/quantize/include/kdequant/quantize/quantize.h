// kdequant/quantize/quantize.h
// A float network in, a 4-bit network out.
#ifndef KDEQUANT_QUANTIZE_QUANTIZE_H_
#define KDEQUANT_QUANTIZE_QUANTIZE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/codebook/design.h"
#include "kdequant/model/graph.h"
#include "kdequant/vision/image.h"
#include "kdequant/vision/preprocess.h"

namespace kdequant {

/// What shares a codebook.
enum class Granularity {
  kTensor,        ///< One codebook a layer (the paper's).
  kChannelScale,  ///< One codebook a layer, and a scale per output channel.
  kChannel,       ///< A codebook per output channel.
};

/// How one byte stands for an activation.
enum class ActivationMode {
  kStatic,   ///< Ranges measured on the calibration pictures and written into the file.
  kDynamic,  ///< Ranges measured on every image while the network runs.
  kFloat,    ///< No ranges are written: dynamic for a w4a8 session; meant for f32 sessions.
};

enum class Calibration {
  kNone,       ///< No picture: no bias correction, no gains, and dynamic ranges.
  kSynthetic,  ///< Seeded dead-leaves pictures.
  kPictures,   ///< The caller's.
};

/// A combination of the other options with a name; QuantizeOptions{} is kDefault.
enum class Effort {
  kPlain,    ///< The paper: levels and assignment, no calibration.
  kFast,     ///< Ranges, bias correction and gains (Response) from 16 pictures.
  kDefault,  ///< Error compensation too, with 64 pictures, and 8 bits for the smallest layers.
  kBest,     ///< The same with 256 pictures, more fits, and sweeps.
};

/// Options for the layers whose names match; what is absent stays as it is for all. Depthwise layers keep their 8 bits.
struct LayerOverride {
  std::string layers;            ///< A glob (* and ?).
  std::optional<int> bits = {};  ///< 2 to 8; `levels` = 2^bits
  std::optional<Method> method = {};
  std::optional<Granularity> granularity = {};
  std::optional<std::size_t> samples = {};  ///< 0: all
  std::optional<bool> compensation = {};    ///< Off only: where it is off for all it stays off.
};

inline constexpr int kMostCodebooks = 16;  ///< of a layer
inline constexpr int kMostRounds = 100;    ///< fits, and sweeps

struct QuantizeOptions {
  /// Method, sampling, bandwidth; `levels` is 16.
  DesignOptions design;
  Granularity granularity = Granularity::kChannelScale;
  /// With channel scales and up to 16 levels: how many codebooks a layer may have, 1 to 16. Every channel takes the one
  /// that suits it best. A small layer gets fewer, so that they take at most a 16th of its indices' bytes.
  int codebooks = 16;
  Calibration calibration = Calibration::kSynthetic;
  /// How many synthetic pictures, or how many of `pictures` at most.
  std::size_t picture_count = 64;
  /// With Calibration::kPictures. Only what Preprocess makes of them is used: crop first (Crop) to save memory.
  std::vector<Image> pictures;
  /// How the calibration pictures are fed in; absent keys come from the graph's metadata.
  Preprocess preprocess;
  ActivationMode activations = ActivationMode::kStatic;
  bool bias_correction = true;
  /// Later weights of a layer make up for the errors of earlier ones, and each layer for what quantizing the layers
  /// before it did to its input. Needs pictures: where all together would keep more than 512 MiB of activations
  /// at a layer, fewer are used there, and the others join later.
  bool compensation = true;
  /// With compensation: how often the scales and levels of a layer are fitted to its compensated weights.
  int fits = 1;
  /// With compensation: sweeps over a layer's weights afterwards, in which each goes to the level that is best while
  /// the others stay.
  int sweeps = 0;
  /// With 4 bits: the share that giving 8 bits to the smallest layers may add to the bytes of the weights. Without a
  /// value 2 %, or 40,000 bytes where that is more (small networks), but at most 6 %.
  std::optional<double> widen = {};
  /// Layers to leave in float: globs (* and ?) over layer names.
  std::vector<std::string> exclude;
  std::vector<LayerOverride> overrides;
  std::uint64_t seed = 1;
};

/// Sets what `effort` names and leaves the rest alone.
void ApplyEffort(Effort effort, QuantizeOptions& options);

Result<Granularity> ParseGranularity(std::string_view name);
std::string_view GranularityName(Granularity granularity);
Result<ActivationMode> ParseActivationMode(std::string_view name);
std::string_view ActivationModeName(ActivationMode mode);
Result<Effort> ParseEffort(std::string_view name);

/// What happened to one layer.
struct LayerReport {
  std::string name;
  std::string op;  ///< "Conv" or "Gemm"
  Shape shape;     ///< of its weights
  std::size_t weights = 0;
  std::size_t scanned = 0;  ///< weights read for range, histogram or scale
  std::size_t samples = 0;  ///< weights the density was estimated from
  double bandwidth = 0;     ///< in units of the (scale-normalised) weights; 0 where no density was estimated
  int bits = 32;            ///< 4, 8 (depthwise) or 32 (excluded)
  /// The levels the engine uses, ascending; with channel scales in units of the scale. Empty for 8 and 32 bits. Of
  /// several codebooks that which most channels use; for Granularity::kChannel the first channel's.
  std::vector<float> levels = {};
  std::size_t codebooks = 0;  ///< how many the layer has; 0 for 8-bit kernels and floats
  double sqnr_db = 0;         ///< 10 log10(sum w^2 / sum (w - q)^2); infinite when exact
  std::size_t bytes = 0;      ///< indices, levels and scales as stored
  /// "off"; "full", or "blocks" where a very wide layer was compensated in independent runs of columns.
  std::string_view compensation = "off";
  double milliseconds = 0;
};

struct QuantizeReport {
  std::vector<LayerReport> layers;
  std::size_t weights = 0, weights_scanned = 0, weights_sampled = 0;
  std::size_t pictures = 0;  ///< calibration pictures used
  double design_milliseconds = 0;
  double calibration_milliseconds = 0;
  double compensation_milliseconds = 0;
};

/// The keys of a quantize report, the same on the command line and in JavaScript: one JSON object.
std::string ReportToJson(const QuantizeReport& report, std::size_t bytes_in, std::size_t bytes_out, double seconds);

/// Quantizes in steps of one layer or one picture, or less. The float graph is not changed, whatever happens.
class QuantizeJob : public Job {
 public:
  /// `graph` must be prepared. Errors: kUsage (options that contradict each other, pictures missing), kUnsupported
  /// (nothing to quantize), kNotFinite (layer and position named).
  static Result<std::unique_ptr<QuantizeJob>> Create(std::shared_ptr<const Graph> graph, QuantizeOptions options);

  /// Layers finished so far; grows by one per finished layer, so that a user interface can draw each as it comes.
  virtual const QuantizeReport& report() const = 0;

  /// The 4-bit graph, prepared, with ranges and metadata (`kdequant.version`, `kdequant.settings`,
  /// `kdequant.preprocess`). Valid once Step has returned true; call once.
  virtual Graph TakeGraph() = 0;
};

/// The synthetic picture that a job with this seed draws as its `index`-th, for showing.
Image CalibrationPicture(int size, std::uint64_t seed, std::size_t index);

/// Version written into files.
std::string_view Version();

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_QUANTIZE_H_
