#include "common_options.h"

namespace kdequant {

void AddRunOptions(CLI::App& verb, RunOptions& options) {
  verb.add_option("--precision", options.precision,
                  "f32 (float) or w4a8 (4-bit weights, 8-bit activations; for quantized networks, and their default)")
      ->type_name("f32|w4a8");
  verb.add_option("--preprocess", options.preprocess, kPreprocessHelp)->type_name("SPEC");
  verb.add_option(
          "--kernels", options.kernels,
          "best, reference, simd128 or relaxed: which implementation computes; all give the same w4a8 answers (best)")
      ->type_name("NAME");
  verb.add_flag("--json", options.json, "One JSON object on standard output");
}

Result<ClassifierOptions> ClassifierOptionsOf(const RunOptions& options) {
  ClassifierOptions result{
      .precision = {}, .kernels = KernelSet::kBest, .threads = options.threads, .preprocess = options.preprocess};
  if (options.precision == "f32") {
    result.precision = Precision::kF32;
  } else if (options.precision == "w4a8") {
    result.precision = Precision::kW4A8;
  } else if (!options.precision.empty()) {
    return Fail(ErrorCode::kUsage, "unknown precision \"" + options.precision + "\"; it is f32 or w4a8");
  }
  for (const KernelSet kernels : {KernelSet::kBest, KernelSet::kReference, KernelSet::kSimd128, KernelSet::kRelaxed}) {
    if (options.kernels == KernelSetName(kernels)) {
      result.kernels = kernels;
      return result;
    }
  }
  return Fail(ErrorCode::kUsage,
              "unknown kernels \"" + options.kernels + "\"; they are best, reference, simd128 or relaxed");
}

std::string_view PrecisionName(Precision precision) { return precision == Precision::kF32 ? "f32" : "w4a8"; }

}  // namespace kdequant
