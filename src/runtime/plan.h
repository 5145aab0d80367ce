// plan.h
// A network as a list of steps over slots of one arena: what both precisions are lowered to, and what a session runs.
//
// Vocabulary. A *value* is the graph's. A *slot* is one copy of a value (or scratch space) in memory, in one *format*.
// A value may have several slots, say plain for a Softmax and C4 for a convolution; conversion steps fill the second
// from the first. A *step* is a kernel with its packed weights, and the slots it reads and writes.
#ifndef KDEQUANT_RUNTIME_PLAN_H_
#define KDEQUANT_RUNTIME_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/parallel.h"
#include "kdequant/model/graph.h"
#include "kdequant/runtime/session.h"

namespace kdequant::runtime {

enum class Layout {
  kPlain,  ///< Row-major, as in the graph.
  kC4,     ///< Channel-blocked by four, see Image. Only for images (rank 4, batch 1).
};
enum class Storage { kF32, kI8 };

struct Format {
  Storage storage = Storage::kF32;
  Layout layout = Layout::kPlain;
  friend auto operator<=>(const Format&, const Format&) = default;
};
inline constexpr Format kPlainF32{Storage::kF32, Layout::kPlain};
inline constexpr Format kC4F32{Storage::kF32, Layout::kC4};
inline constexpr Format kPlainI8{Storage::kI8, Layout::kPlain};
inline constexpr Format kC4I8{Storage::kI8, Layout::kC4};

/// An image [1, C, H, W] in the C4 layout: element (c, pixel) is at [c / 4][pixel][c % 4] of
/// [Blocks()][PixelStride()][4].
///
/// What the padding holds (channels from C to 4 Blocks(), pixels from H W to PixelStride()) is **unspecified**: a
/// kernel may write anything there and must not let what it reads there reach a real element (zero weights are enough
/// for integers; 0 x NaN is not 0, so float kernels do not read it). An image of one pixel has no pixel padding: its C4
/// is its plain layout, and [1, C, 1, 1] -> [1, C] costs nothing.
struct Image {
  std::ptrdiff_t channels = 0, height = 0, width = 0;

  std::ptrdiff_t Pixels() const { return height * width; }
  std::ptrdiff_t PixelStride() const { return Pixels() == 1 ? 1 : (Pixels() + 3) / 4 * 4; }
  std::ptrdiff_t Blocks() const { return (channels + 3) / 4; }
  /// Elements from one block of four channels to the next.
  std::ptrdiff_t BlockStride() const { return 4 * PixelStride(); }
  std::ptrdiff_t Elements() const { return Blocks() * BlockStride(); }
  std::ptrdiff_t Index(std::ptrdiff_t channel, std::ptrdiff_t pixel) const {
    return channel / 4 * BlockStride() + 4 * pixel + channel % 4;
  }
};

/// Whether a value of this shape can be in C4: rank 4 and a batch of 1.
bool IsImage(const Shape& shape);
Image ImageOf(const Shape& shape);

/// real = scale * (code - zero_point), codes from -128 to 127 (8 bits) or from 0 to 127 (7 bits).
struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0;
  int bits = 7;
  friend bool operator==(const Quantization&, const Quantization&) = default;
};

using SlotId = std::int32_t;
inline constexpr SlotId kNoSlot = -1;

struct Slot {
  Format format = {};
  Shape shape = {};       ///< Of the value; empty for scratch.
  std::size_t bytes = 0;  ///< A multiple of 16.

  /// An alias lies `offset` bytes inside another slot and lives as long as it.
  SlotId parent = kNoSlot;
  std::size_t offset = 0;

  /// A constant lies outside the arena.
  const std::byte* constant = nullptr;
  std::shared_ptr<const void> owner = {};

  /// kI8: fixed when the plan is made, or (`dynamic`) set by the step that writes the slot, for every image anew. An
  /// alias has the quantization of its root.
  Quantization quantization = {};
  bool dynamic = false;
};

/// Where the slots are while steps run.
class Memory {
 public:
  /// The caller knows which slots it may write; a constant must only be read.
  float* F32(SlotId slot) const { return reinterpret_cast<float*>(base_[static_cast<std::size_t>(slot)]); }
  std::int8_t* I8(SlotId slot) const { return reinterpret_cast<std::int8_t*>(base_[static_cast<std::size_t>(slot)]); }
  std::byte* Bytes(SlotId slot) const { return base_[static_cast<std::size_t>(slot)]; }

  const Quantization& quantization(SlotId slot) const { return quantization_[Root(slot)]; }
  void set_quantization(SlotId slot, const Quantization& quantization) { quantization_[Root(slot)] = quantization; }

  /// Among whom kernels share out their work: as many as the plan was made for.
  const Threads& threads() const { return threads_; }

 private:
  friend class Plan;
  std::size_t Root(SlotId slot) const { return static_cast<std::size_t>(root_[static_cast<std::size_t>(slot)]); }

  Buffer<std::byte> arena_;
  std::vector<std::byte*> base_;
  std::vector<SlotId> root_;
  std::vector<Quantization> quantization_;
  Threads threads_;
};

/// The work of a step. It owns its packed weights and allocates nothing while it runs.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Run(Memory& memory) const = 0;
};

struct Step {
  std::string layer;
  std::string_view operator_name;
  std::vector<SlotId> reads;
  std::vector<SlotId> writes;      ///< Scratch too.
  std::unique_ptr<Kernel> kernel;  ///< Null where an alias already did the work.
  /// The node output that is complete after this step, for observers, and a slot that holds it.
  ValueId computes = kNoValue;
  SlotId result = kNoSlot;
  /// Of a step that does another node's work too, so that no slot holds the value: computes it once more, row-major,
  /// from what the step reads.
  std::function<void(const Memory& memory, float* elements)> reveal = {};
};

/// Immutable once built.
class Plan {
 public:
  std::vector<Slot> slots;
  std::vector<Step> steps;
  std::vector<std::size_t> offsets;  ///< By slot: bytes from the start of the arena (aliases resolved; constants 0).
  std::vector<SlotId> roots;         ///< By slot: the slot that it lies in, itself if it is no alias.
  std::size_t arena_bytes = 0;
  std::size_t weight_bytes = 0;
  std::vector<SlotId> inputs, outputs;  ///< Plain float32, in the graph's order.
  std::vector<std::string> float_layers;

  const Shape& ShapeOf(SlotId slot) const { return slots[static_cast<std::size_t>(slot)].shape; }

  /// kOutOfMemory if the arena cannot be had.
  Result<Memory> Allocate(const Threads& threads) const;
};

/// Collects slots and steps while a graph is lowered.
///
/// A lowering visits the nodes in order: BeginNode, then for each input `Require` and for each output `NewSlot` (or
/// `Alias`), then AddStep, then EndNode.
class PlanBuilder {
 public:
  /// `threads`: how many will compute; each may want scratch of its own.
  PlanBuilder(const Graph& graph, KernelSet kernels, int threads = 1);

  const Graph& graph() const { return *graph_; }
  /// Resolved: kReference, kSimd128 or kRelaxed.
  KernelSet kernels() const { return kernels_; }
  /// Whether float kernels may round a product and a sum once (relaxed SIMD): never in a w4a8 plan.
  bool fused() const { return fused_; }
  void AllowFused() { fused_ = tiles_ = true; }
  /// Whether float 3x3 convolutions may go by tiles (kernels/winograd_f32.h), which rounds otherwise than plain loops.
  bool tiles() const { return tiles_; }
  void AllowTiles() { tiles_ = true; }
  int threads() const { return threads_; }
  const Shape& ShapeOf(ValueId value) const { return *graph_->value(value).shape; }
  /// Node inputs that read the value, plus one if it is the graph's output.
  int UseCount(ValueId value) const { return uses_[static_cast<std::size_t>(value)]; }

  void BeginNode(const Node& node);
  /// Tells observers that the node's first output is computed.
  void EndNode();

  /// A new home of `value`. If the value is an input of a Concat along the channels that can lie inside the Concat's
  /// output (C4, its first channel a multiple of 4, the same format and, for static i8, the same quantization), the
  /// slot is an alias in there.
  SlotId NewSlot(ValueId value, Format format);
  SlotId NewQuantizedSlot(ValueId value, Layout layout, const Quantization& quantization, bool dynamic = false);
  /// As NewSlot, but over `input_slot`, the memory of `input`, where nothing else will read that: for element by
  /// element work.
  SlotId NewSlotOver(ValueId value, Format format, ValueId input, SlotId input_slot);
  /// `value` in the same bytes as `slot` (a Reshape).
  SlotId Alias(ValueId value, Format format, SlotId slot);
  /// Space for the next step only.
  SlotId NewScratch(std::size_t bytes);

  /// Takes a slot that only its aliases use out of `Find`'s sight: a Concat's output that was never completed in this
  /// format.
  void Forget(ValueId value, Format format) { homes_.erase({value, format}); }
  /// The slot of `value` in `format`, or kNoSlot.
  SlotId Find(ValueId value, Format format) const;
  /// Any slot of `value` of this storage (C4 first), or kNoSlot.
  SlotId FindAny(ValueId value, Storage storage) const;
  /// The slot of `value` in float32 in this layout, converted by a step of its own if need be (once). Constants too.
  SlotId RequireF32(ValueId value, Layout layout);

  /// How RequireF32 gets at a value that only has a i8 slot: adds the steps and returns a new float32 slot of any
  /// layout. Set by the w4a8 lowering.
  std::function<SlotId(PlanBuilder&, ValueId)> dequantize;

  template <typename Function>
  void AddStep(std::vector<SlotId> reads, std::vector<SlotId> writes, Function run,
               std::string_view operator_name = {}) {
    struct FunctionKernel final : Kernel {
      explicit FunctionKernel(Function f) : function(std::move(f)) {}
      void Run(Memory& memory) const override { function(memory); }
      Function function;
    };
    AddKernel(std::move(reads), std::move(writes), std::make_unique<FunctionKernel>(std::move(run)), operator_name);
  }
  /// `operator_name` empty: the node's.
  void AddKernel(std::vector<SlotId> reads, std::vector<SlotId> writes, std::unique_ptr<Kernel> kernel,
                 std::string_view operator_name = {});

  /// Of the step added last.
  void RevealBy(std::function<void(const Memory&, float*)> reveal) { plan_.steps.back().reveal = std::move(reveal); }

  void AddWeightBytes(std::size_t bytes) { plan_.weight_bytes += bytes; }
  void AddFloatLayer(std::string layer) { plan_.float_layers.push_back(std::move(layer)); }

  Slot& slot(SlotId id) { return plan_.slots[static_cast<std::size_t>(id)]; }
  const Slot& slot(SlotId id) const { return plan_.slots[static_cast<std::size_t>(id)]; }

  /// Computes liveness, lays the slots out in the arena, and hands the plan over. The output is made plain float32 if
  /// it is not.
  Plan Finish();

 private:
  struct Placement {  // Of a Concat's input inside its output.
    ValueId parent = kNoValue;
    std::int64_t channel = 0;
  };

  SlotId AddSlot(Slot slot);
  SlotId PlaceInConcat(ValueId value, const Slot& wanted);
  SlotId Register(ValueId value, SlotId slot);
  SlotId ConstantSlot(ValueId value, Layout layout);
  void FindPlacements();

  const Graph* graph_;
  KernelSet kernels_;
  bool fused_ = false;
  bool tiles_ = false;
  int threads_;
  Plan plan_;
  const Node* node_ = nullptr;
  std::size_t first_step_of_node_ = 0;
  std::vector<int> uses_;
  std::vector<bool> has_alias_;  // By slot.
  std::map<std::pair<ValueId, Format>, SlotId> homes_;
  std::vector<Placement> placements_;  // By value.
};

/// The bytes of a value of `shape` in `format`, a multiple of 16.
std::size_t SlotBytes(const Shape& shape, Format format);

/// Copies a slot's value out as plain row-major float32 (dequantized): `elements` has room for all of them.
void ReadSlot(const Slot& slot, SlotId id, const Memory& memory, float* elements);

/// Hands `observer` the value that is complete after `step`, if there is one; `room` is reused from call to call.
void ShowResult(const Plan& plan, const Step& step, const Memory& memory, std::vector<float>& room,
                const Session::Observer& observer);

/// Copies. False if there is a NaN or an infinity.
bool CopyFinite(std::span<const float> input, float* target);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_PLAN_H_
