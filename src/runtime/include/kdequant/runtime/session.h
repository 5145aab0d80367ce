// kdequant/runtime/session.h
// A prepared network, planned and packed, that answers one image after another.
#ifndef KDEQUANT_RUNTIME_SESSION_H_
#define KDEQUANT_RUNTIME_SESSION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/parallel.h"
#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

enum class Precision {
  kF32,   ///< Float32 activations and weights (quantized weights are dequantized when the session is made).
  kW4A8,  ///< Quantized weights x one byte an activation (7 or 8 significant bits), 32-bit accumulators. Exact: the
          ///< same logits, bit for bit, from every kernel set, thread count and build.
};

/// Which implementation computes. All of them give the same w4a8 logits; in float, kRelaxed may round products and sums
/// together.
enum class KernelSet {
  kBest,       ///< The fastest that this build and machine have.
  kReference,  ///< Plain loops, for tests and for reading.
  kSimd128,    ///< WebAssembly SIMD, natively through SIMDe.
  kRelaxed,    ///< The relaxed integer dot product and multiply-add; only in builds made for it.
};
std::string_view KernelSetName(KernelSet kernels);

struct SessionOptions {
  Precision precision = Precision::kF32;
  KernelSet kernels = KernelSet::kBest;
  /// w4a8 only: measure each activation's range on the image itself even where the graph has static ranges. Graphs
  /// without ranges always do.
  bool dynamic_ranges = false;
  /// How many threads compute one image. Each takes some memory (SessionInfo says how much).
  int threads = 1;
  /// Whose threads: sessions that never run at the same time may share them. Null: the session starts its own.
  std::shared_ptr<ThreadPool> pool = {};
};

struct SessionInfo {
  KernelSet kernels = KernelSet::kReference;
  Precision precision = Precision::kF32;
  int threads = 1;               ///< At work: as many as were asked for, and are there.
  std::size_t arena_bytes = 0;   ///< Activations: planned once, reused for every image.
  std::size_t weight_bytes = 0;  ///< Packed weights.
  std::vector<std::string>
      float_layers;  ///< w4a8: layers that compute in float all the same (excluded or not quantizable).
};

/// Time of one step of the last run.
struct StepTime {
  std::string layer;
  std::string_view operator_name;
  double milliseconds = 0;
};

class Session {
 public:
  /// Plans memory and packs weights. `graph` must be prepared (Prepare) and is not needed afterwards, except that large
  /// constants are shared with it. Errors: kUnsupported (all operators that the engine cannot run, at once),
  /// kOutOfMemory.
  static Result<Session> Create(const Graph& graph, const SessionOptions& options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Sees the value of every node's first output as it is computed, as plain row-major float32 (dequantized in w4a8).
  /// The span is valid during the call only.
  using Observer = std::function<void(ValueId value, std::span<const float> elements)>;

  /// `input`: row-major float32 in the shape of the graph's input. Returns the output, row-major, valid until the next
  /// Run. Errors: kBadInput (wrong length), kNotFinite (a NaN or an infinity in the input).
  Result<std::span<const float>> Run(std::span<const float> input);
  Result<std::span<const float>> Run(std::span<const float> input, const Observer& observer);

  const Shape& input_shape() const;
  const Shape& output_shape() const;
  const SessionInfo& info() const;

  /// Runs once and times every step.
  Result<std::vector<StepTime>> Profile(std::span<const float> input);

 private:
  class Implementation;
  explicit Session(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kdequant

#endif  // KDEQUANT_RUNTIME_SESSION_H_
