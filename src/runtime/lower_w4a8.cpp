// Where the graph has ranges, values between layers are bytes on fixed grids. Everywhere else a layer measures its
// input, computes in integers all the same, and hands floats on.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/layout_f32.h"
#include "kernels/pool_f32.h"
#include "kernels/w4a8_conv.h"
#include "kernels/w4a8_elementwise.h"
#include "lower_f32.h"

namespace kdequant::runtime {
namespace {

using w4a8::Bounds;
using w4a8::Grid;

constexpr int kBits = 8;  // Of a range measured here.
// Says before the range is known how wide its codes will be: kernels are chosen by that.
constexpr Quantization kMeasured = {.bits = kBits};

Quantization QuantizationOf(const Grid& grid) {
  return {.scale = grid.scale, .zero_point = grid.zero_point, .bits = grid.bottom < 0 ? 8 : 7};
}
Grid GridOf(const Quantization& q) {
  return {.scale = q.scale, .zero_point = q.zero_point, .bottom = q.bits == 8 ? -128 : 0};
}

std::int32_t LargestByte(const Grid& grid) { return std::max(Grid::kTop, -grid.bottom); }

w4a8::Arithmetic ArithmeticOf(KernelSet kernels) {
  switch (kernels) {
    case KernelSet::kReference: return w4a8::Arithmetic::kPlain;
    case KernelSet::kRelaxed: return w4a8::FastestArithmetic();
    case KernelSet::kBest:
    case KernelSet::kSimd128: return w4a8::Arithmetic::kPairs;
  }
  return w4a8::Arithmetic::kPlain;
}

// The real elements of a slot.
w4a8::Elements ElementsOf(const Shape& shape, Layout layout) {
  if (layout == Layout::kC4) return {.image = ImageOf(shape), .count = 0};
  std::ptrdiff_t count = 1;
  for (const std::int64_t dimension : shape) count *= static_cast<std::ptrdiff_t>(dimension);
  return {.image = std::nullopt, .count = count};
}

SlotId DequantizeSlot(PlanBuilder& builder, ValueId value) {
  const SlotId bytes = builder.FindAny(value, Storage::kI8);
  // Row-major: a blocked slot might be placed inside a Concat's, whose other inputs are bytes.
  const SlotId floats = builder.NewSlot(value, kPlainF32);
  builder.AddStep(
      {bytes}, {floats},
      [slot = builder.slot(bytes), bytes, floats](Memory& m) { ReadSlot(slot, bytes, m, m.F32(floats)); },
      "Dequantize");
  return floats;
}

std::vector<float> Padded(const std::vector<double>& values) {
  std::vector<float> padded(values.begin(), values.end());
  padded.resize((values.size() + 7) / 8 * 8 + 8, 0.0F);
  return padded;
}

class Lowering {
 public:
  Lowering(PlanBuilder& builder, bool dynamic)
      : builder_(builder), dynamic_(dynamic), arithmetic_(ArithmeticOf(builder.kernels())) {}

  Result<void> Lower(const Node& node) {
    node_ = &node;
    auto done = TryInteger();
    if (!done) return Forward(done);
    if (*done) return {};
    if (HasWeights(builder_.graph(), node)) builder_.AddFloatLayer(node.name);
    if (const auto* concat = std::get_if<Concat>(&node.op); concat) builder_.Forget(node.outputs[0], kC4I8);
    LowerNodeF32(builder_, node);
    return {};
  }

 private:
  Result<bool> TryInteger() {
    if (const auto* conv = std::get_if<Conv>(&node_->op)) return LowerConvolution(*conv);
    if (const auto* gemm = std::get_if<Gemm>(&node_->op)) return LowerProduct(*gemm);
    if (dynamic_) return false;
    if (const auto* pool = std::get_if<Pool>(&node_->op)) return LowerWindows(*pool);
    if (IsWholeMean(*node_)) return LowerWholeMean();
    if (std::holds_alternative<Elementwise>(node_->op)) return LowerSum();
    if (const auto* concat = std::get_if<Concat>(&node_->op)) return LowerJoin(*concat);
    if (std::holds_alternative<Reshape>(node_->op)) return LowerReshape();
    return false;
  }

  const Shape& ShapeOf(ValueId value) const { return builder_.ShapeOf(value); }
  ValueId Input(std::size_t i) const { return i < node_->inputs.size() ? node_->inputs[i] : kNoValue; }
  ValueId Output() const { return node_->outputs[0]; }

  const ActivationRange* RangeOf(ValueId value) const {
    const auto& ranges = builder_.graph().ranges;
    const auto found = ranges.find(builder_.graph().value(value).name);
    return dynamic_ || found == ranges.end() ? nullptr : &found->second;
  }

  // A value that only feeds a Concat lives on the Concat's grid, so that it can be written in place.
  std::optional<Grid> StaticGrid(ValueId value) const {
    const ActivationRange* range = RangeOf(value);
    if (!range) return std::nullopt;
    if (builder_.UseCount(value) == 1) {
      for (const Node& node : builder_.graph().nodes) {
        if (!std::holds_alternative<Concat>(node.op) || std::ranges::find(node.inputs, value) == node.inputs.end())
          continue;
        if (const ActivationRange* joined = RangeOf(node.outputs[0])) range = joined;
      }
    }
    return w4a8::MakeGrid({.low = range->low, .high = range->high, .bits = range->bits == 8 ? 8 : 7});
  }

  static bool ClampsAtMost(const Node& node) { return !node.activation || w4a8::IsClamp(*node.activation); }
  bool ClampsAtMost() const { return ClampsAtMost(*node_); }
  static Bounds OutputBounds(const Node& node, const Grid& grid) {
    return node.activation ? w4a8::BoundsOf(grid, *node.activation) : w4a8::BoundsOf(grid);
  }
  Bounds OutputBounds(const Grid& grid) const { return OutputBounds(*node_, grid); }

  // A slot of bytes on a fixed grid, or none.
  SlotId StaticBytes(ValueId value, Layout layout) const {
    const SlotId slot = builder_.Find(value, {Storage::kI8, layout});
    return slot != kNoSlot && !builder_.slot(slot).dynamic ? slot : kNoSlot;
  }

  SlotId RequireBytes(ValueId value, Layout layout) {
    const SlotId found = builder_.Find(value, {Storage::kI8, layout});
    if (found != kNoSlot) return found;
    const auto grid = StaticGrid(value);
    const SlotId plain = builder_.Find(value, kPlainF32);
    if (grid && layout == Layout::kC4 && plain != kNoSlot && builder_.Find(value, kC4F32) == kNoSlot) {
      const SlotId bytes = builder_.NewQuantizedSlot(value, layout, QuantizationOf(*grid));
      builder_.AddStep(
          {plain}, {bytes},
          [=, used = *grid, image = ImageOf(ShapeOf(value)), vectors = Vectors()](Memory& m) {
            m.threads().Cut(image.Pixels(), 4, [&](Stretch stretch, int) {
              w4a8::QuantizeImage(used, image, stretch, m.F32(plain), m.I8(bytes), vectors);
            });
          },
          "Quantize");
      return bytes;
    }
    const SlotId floats = builder_.RequireF32(value, layout);
    const w4a8::Elements elements = ElementsOf(ShapeOf(value), layout);
    const SlotId bytes = builder_.NewQuantizedSlot(value, layout, grid ? QuantizationOf(*grid) : kMeasured, !grid);
    builder_.AddStep(
        {floats}, {bytes},
        [=](Memory& m) {
          const float* const x = m.F32(floats);
          const Grid used = grid ? *grid : w4a8::MakeGrid(w4a8::RangeOf(elements, x, kBits));
          if (!grid) m.set_quantization(bytes, QuantizationOf(used));
          w4a8::QuantizeElements(used, elements, x, m.I8(bytes));
        },
        "Quantize");
    return bytes;
  }

  struct Weights {
    w4a8::IntegerWeights integers;
    std::vector<float> bias;
  };
  std::optional<Weights> QuantizedWeights() const {
    const Graph& graph = builder_.graph();
    if (!graph.IsConstant(Input(1))) return std::nullopt;
    Weights weights{.integers = w4a8::ReadIntegers(*graph.value(Input(1)).constant), .bias = {}};
    if (weights.integers.rows == 0 || weights.integers.depth > w4a8::kLargestDepth) return std::nullopt;
    weights.bias.assign(weights.integers.rows, 0.0F);
    if (Input(2) != kNoValue) {
      const FloatTensor* bias = graph.FloatConstant(Input(2));
      if (!bias || bias->values.size() != weights.bias.size()) return std::nullopt;
      weights.bias = bias->values;
    }
    return weights;
  }

  Result<bool> LowerConvolution(const Conv& op) {
    if (!IsImage(ShapeOf(Input(0)))) return false;
    const ConvGeometry geometry = MakeConvGeometry(op.window, op.groups, ShapeOf(Input(0)), ShapeOf(Output()));
    constexpr std::ptrdiff_t kMostPixels = std::ptrdiff_t{1} << 24;
    const std::ptrdiff_t pixels =
        (geometry.input.height + std::max<std::ptrdiff_t>(0, geometry.pads[0] + geometry.pads[2])) *
        (geometry.input.width + std::max<std::ptrdiff_t>(0, geometry.pads[1] + geometry.pads[3]));
    // Offsets are 32-bit integers.
    if (pixels > kMostPixels || pixels * 4 * geometry.input.Blocks() > std::numeric_limits<std::int32_t>::max())
      return false;
    return LowerWeighted(geometry, Layout::kC4, 1);
  }

  Result<bool> LowerProduct(const Gemm& op) {
    const Shape& input = ShapeOf(Input(0));
    const Shape& output = ShapeOf(Output());
    if (!op.trans_b || input.size() != 2) return false;
    ConvGeometry geometry;
    geometry.input = {static_cast<std::ptrdiff_t>(input[1]), 1, 1};
    geometry.output = {static_cast<std::ptrdiff_t>(output[1]), 1, 1};
    return LowerWeighted(geometry, Layout::kPlain, static_cast<std::ptrdiff_t>(output[0]));
  }

  // `images`: rows of a product; images are one.
  Result<bool> LowerWeighted(const ConvGeometry& geometry, Layout layout, std::ptrdiff_t images) {
    auto weights = QuantizedWeights();
    if (!weights) return false;
    const SlotId x = RequireBytes(Input(0), layout);
    if (!builder_.slot(x).dynamic) {
      if (const auto sum = SumBehind()) return LowerToBytes(geometry, layout, images, std::move(*weights), x, *sum);
      if (const auto grid = StaticGrid(Output()); grid && ClampsAtMost())
        return LowerToBytes(geometry, layout, images, std::move(*weights), x, {.node = node_, .grid = *grid});
    }
    return LowerToFloats(geometry, layout, images, std::move(*weights), x);
  }

  // The node whose output a layer computes, itself or a sum behind it.
  struct Target {
    const Node* node = nullptr;
    Grid grid = {};
    SlotId addend = kNoSlot;
  };

  // The sum that alone reads this node's output, where its other operand is there already.
  std::optional<Target> SumBehind() const {
    if (node_->activation || builder_.UseCount(Output()) != 1) return std::nullopt;
    const std::vector<Node>& nodes = builder_.graph().nodes;
    const auto after = nodes.begin() + (node_ - nodes.data()) + 1;
    const auto sum = std::find_if(after, nodes.end(), [&](const Node& node) {
      return std::ranges::find(node.inputs, Output()) != node.inputs.end();
    });
    if (sum == nodes.end() || !IsSumOfImages(*sum)) return std::nullopt;
    const SlotId addend = StaticBytes(sum->inputs[sum->inputs[0] == Output() ? 1 : 0], Layout::kC4);
    const auto grid = StaticGrid(sum->outputs[0]);
    if (addend == kNoSlot || !grid) return std::nullopt;
    return Target{.node = &*sum, .grid = *grid, .addend = addend};
  }

  // From bytes to bytes.
  struct Layer {
    w4a8::Convolution kernel;
    ConvGeometry geometry;
    std::ptrdiff_t images;
    std::vector<std::int32_t> start;
    std::vector<float> multipliers;
    std::int32_t input_zero_point;
    w4a8::ByteOutput output;  // Without what depends on the memory.
    float output_scale;
    SlotId x, y, addend, scratch;

    void Run(const Memory& m) const {
      w4a8::ByteOutput to = output;
      to.rows = {start.data(), multipliers.data()};
      if (addend != kNoSlot) to.addend.bytes = m.I8(addend);
      for (std::ptrdiff_t i = 0; i < images; ++i) {
        to.bytes = m.I8(y) + i * geometry.output.channels;
        kernel.Run(m.I8(x) + i * geometry.input.channels, input_zero_point, to, m.Bytes(scratch), m.threads());
      }
    }

    // The layer's own output, without the sum behind it.
    void Reveal(const Memory& m, float* elements) const {
      std::vector<float> scales = multipliers;
      for (float& scale : scales) scale *= output_scale;
      const std::vector<float> bias(scales.size(), 0.0F);
      std::vector<float> blocked(static_cast<std::size_t>(geometry.output.Elements()));
      kernel.Run(m.I8(x), input_zero_point,
                 {.rows = {start.data(), scales.data()},
                  .bias = bias.data(),
                  .low = std::numeric_limits<float>::lowest(),
                  .high = std::numeric_limits<float>::max(),
                  .floats = blocked.data()},
                 m.Bytes(scratch), m.threads());
      C4ToPlain(geometry.output, blocked.data(), elements);
    }
  };

  Result<bool> LowerToBytes(const ConvGeometry& geometry, Layout layout, std::ptrdiff_t images, Weights weights,
                            SlotId x, const Target& target) {
    const Grid from = GridOf(builder_.slot(x).quantization);
    auto rows = w4a8::MakeRowConstants(weights.integers, weights.bias, static_cast<double>(from.scale), from.zero_point,
                                       LargestByte(from), static_cast<double>(target.grid.scale));
    w4a8::Addend addend;
    if (target.addend != kNoSlot) {
      const Grid added = GridOf(builder_.slot(target.addend).quantization);
      addend.zero_point = added.zero_point;
      addend.ratio = added.scale / target.grid.scale;
      constexpr double kFarthest = 255;  // A byte from a zero point.
      rows.largest += kFarthest * static_cast<double>(addend.ratio);
    }
    // Kernels round before they clamp. A layer that may leave what rounding bears, whose range tells nothing of its
    // sums, hands floats on.
    if (rows.largest > w4a8::kMostRounded) return LowerToFloats(geometry, layout, images, std::move(weights), x);
    // Silent rows count as zeros, which a table need not hold.
    for (std::size_t row = 0; row < weights.integers.rows; ++row) {
      if (rows.silent[row] == 0) continue;
      std::fill_n(weights.integers.values.begin() + static_cast<std::ptrdiff_t>(row * weights.integers.depth),
                  weights.integers.depth, std::int8_t{0});
      weights.integers.tables.clear();
    }
    rows.bias.resize((rows.bias.size() + 7) / 8 * 8 + 8, 0);
    rows.multipliers.resize(rows.bias.size(), 0.0F);
    auto made = w4a8::Convolution::Create(geometry, std::move(weights.integers), from.bottom == 0, arithmetic_,
                                          builder_.threads());
    if (!made) return Forward(made);
    builder_.AddWeightBytes(made->WeightBytes() + rows.bias.size() * 8);
    const SlotId y = builder_.NewQuantizedSlot(target.node->outputs[0], layout, QuantizationOf(target.grid));
    const Grid to = GridOf(builder_.slot(y).quantization);
    const SlotId scratch = builder_.NewScratch(made->ScratchBytes());
    const auto layer = std::make_shared<const Layer>(Layer{
        .kernel = std::move(*made),
        .geometry = geometry,
        .images = images,
        .start = std::move(rows.bias),
        .multipliers = std::move(rows.multipliers),
        .input_zero_point = from.zero_point,
        .output = {.rows = {}, .bounds = OutputBounds(*target.node, to), .zero_point = to.zero_point, .addend = addend},
        .output_scale = to.scale,
        .x = x,
        .y = y,
        .addend = target.addend,
        .scratch = scratch});
    std::vector<SlotId> reads = {x};
    if (target.addend != kNoSlot) reads.push_back(target.addend);
    builder_.AddStep(std::move(reads), {y, scratch}, [layer](Memory& m) { layer->Run(m); });
    if (target.node != node_) {
      builder_.Alias(Output(), kC4I8, y);
      builder_.RevealBy([layer](const Memory& m, float* elements) { layer->Reveal(m, elements); });
    }
    return true;
  }

  Result<bool> LowerToFloats(const ConvGeometry& geometry, Layout layout, std::ptrdiff_t images, Weights weights,
                             SlotId x) {
    const std::vector<float> units = Padded(weights.integers.units);
    std::vector<std::int32_t> sums(units.size(), 0);
    const std::int8_t* value = weights.integers.values.data();
    for (std::size_t row = 0; row < weights.integers.rows; ++row)
      for (std::size_t k = 0; k < weights.integers.depth; ++k) sums[row] += *value++;
    weights.bias.resize(units.size(), 0.0F);
    auto made = w4a8::Convolution::Create(geometry, std::move(weights.integers),
                                          builder_.slot(x).quantization.bits == 7, arithmetic_, builder_.threads());
    if (!made) return Forward(made);
    builder_.AddWeightBytes(made->WeightBytes() + units.size() * 12);
    const NodeLowering lowering{builder_, *node_};
    const Epilogue epilogue = EpilogueOf(node_->activation);
    const SlotId y = builder_.NewSlot(Output(), {Storage::kF32, layout});
    const SlotId scratch = builder_.NewScratch(made->ScratchBytes());
    const std::size_t row_bytes = units.size() * sizeof(float);
    const SlotId rows = builder_.NewScratch(2 * row_bytes);
    builder_.AddStep({x}, {y, scratch, rows},
                     [=, kernel = std::move(*made), bias = std::move(weights.bias)](Memory& m) {
                       const Quantization& from = m.quantization(x);
                       auto* const multipliers = m.F32(rows);
                       auto* const start = reinterpret_cast<std::int32_t*>(m.Bytes(rows) + row_bytes);
                       for (std::size_t i = 0; i < units.size(); ++i) {
                         multipliers[i] = from.scale * units[i];
                         start[i] = -from.zero_point * sums[i];
                       }
                       for (std::ptrdiff_t i = 0; i < images; ++i) {
                         kernel.Run(m.I8(x) + i * geometry.input.channels, from.zero_point,
                                    {.rows = {start, multipliers},
                                     .bias = bias.data(),
                                     .low = epilogue.low,
                                     .high = epilogue.high,
                                     .floats = m.F32(y) + i * geometry.output.channels},
                                    m.Bytes(scratch), m.threads());
                       }
                     });
    if (epilogue.rest && layout == Layout::kC4) lowering.ActivateRest(epilogue, y);
    if (epilogue.rest && layout == Layout::kPlain) lowering.ActivatePlain(y);
    return true;
  }

  // Maxima stay on their grid. Means of windows go through floats.
  bool LowerWindows(const Pool& op) {
    const SlotId x = IsImage(ShapeOf(Input(0))) ? StaticBytes(Input(0), Layout::kC4) : kNoSlot;
    if (x == kNoSlot || op.kind != Pool::Kind::kMax || node_->activation) return false;
    const PoolGeometry g = MakePoolGeometry(op, ShapeOf(Input(0)), ShapeOf(Output()));
    const SlotId y = builder_.NewQuantizedSlot(Output(), Layout::kC4, builder_.slot(x).quantization);
    builder_.AddStep({x}, {y}, [=, vectors = Vectors()](Memory& m) {
      m.threads().Cut(g.input.Blocks(), 1,
                      [&](Stretch stretch, int) { w4a8::MaxPool(g, stretch, m.I8(x), m.I8(y), vectors); });
    });
    return true;
  }

  bool LowerWholeMean() {
    const SlotId x = IsImage(ShapeOf(Input(0))) ? StaticBytes(Input(0), Layout::kC4) : kNoSlot;
    const auto grid = StaticGrid(Output());
    if (x == kNoSlot || !ClampsAtMost() || (!grid && node_->activation)) return false;
    const Image image = ImageOf(ShapeOf(Input(0)));
    const Grid from = GridOf(builder_.slot(x).quantization);
    if (!grid) {
      LowerMeanToFloats(x, image, from);
      return true;
    }
    const Layout layout = IsImage(ShapeOf(Output())) ? Layout::kC4 : Layout::kPlain;
    const SlotId y = builder_.NewQuantizedSlot(Output(), layout, QuantizationOf(*grid));
    const Grid to = GridOf(builder_.slot(y).quantization);
    const auto multiplier = static_cast<float>(static_cast<double>(from.scale) /
                                               (static_cast<double>(to.scale) * static_cast<double>(image.Pixels())));
    builder_.AddStep({x}, {y}, [=, bounds = OutputBounds(to), vectors = Vectors()](Memory& m) {
      m.threads().Cut(image.Blocks(), 1, [&](Stretch stretch, int) {
        w4a8::GlobalMean(image, stretch, m.I8(x), from.zero_point, multiplier, bounds, to.zero_point, m.I8(y), vectors);
      });
    });
    return true;
  }

  // One pixel of all channels lies as a row of numbers does.
  void LowerMeanToFloats(SlotId x, const Image& image, const Grid& from) {
    const SlotId y = builder_.NewSlot(Output(), kPlainF32);
    const auto multiplier = static_cast<float>(static_cast<double>(from.scale) / static_cast<double>(image.Pixels()));
    builder_.AddStep({x}, {y}, [=, vectors = Vectors()](Memory& m) {
      w4a8::GlobalMean(image, {0, image.Blocks()}, m.I8(x), from.zero_point, multiplier, m.F32(y), vectors);
    });
  }

  // Of two images of its own shape.
  bool IsSumOfImages(const Node& node) const {
    const auto* const op = std::get_if<Elementwise>(&node.op);
    if (!op || op->kind != Elementwise::Kind::kAdd || !ClampsAtMost(node)) return false;
    const Shape& shape = ShapeOf(node.outputs[0]);
    return IsImage(shape) && ShapeOf(node.inputs[0]) == shape && ShapeOf(node.inputs[1]) == shape;
  }

  bool LowerSum() {
    // Before its turn, only the layer before it gives a sum a home: it has done the sum.
    if (builder_.Find(Output(), kC4I8) != kNoSlot) return true;
    if (!IsSumOfImages(*node_)) return false;
    const SlotId a = StaticBytes(Input(0), Layout::kC4);
    const SlotId b = StaticBytes(Input(1), Layout::kC4);
    const auto grid = StaticGrid(Output());
    if (a == kNoSlot || b == kNoSlot || !grid) return false;
    const SlotId y = builder_.NewQuantizedSlot(Output(), Layout::kC4, QuantizationOf(*grid));
    const Grid to = GridOf(builder_.slot(y).quantization);
    const Grid from_a = GridOf(builder_.slot(a).quantization);
    const Grid from_b = GridOf(builder_.slot(b).quantization);
    const float ratio_a = from_a.scale / to.scale;
    const float ratio_b = from_b.scale / to.scale;
    const std::ptrdiff_t count = ImageOf(ShapeOf(Output())).Elements();
    builder_.AddStep({a, b}, {y}, [=, bounds = OutputBounds(to), vectors = Vectors()](Memory& m) {
      m.threads().Cut((count + 15) / 16 * 16, 16, [&](Stretch stretch, int) {
        w4a8::Add({m.I8(a), from_a.zero_point, ratio_a}, {m.I8(b), from_b.zero_point, ratio_b}, bounds, to.zero_point,
                  stretch, m.I8(y), vectors);
      });
    });
    return true;
  }

  bool LowerJoin(const Concat& op) {
    const auto grid = StaticGrid(Output());
    if (op.axis != 1 || !IsImage(ShapeOf(Output())) || !grid || node_->activation) return false;
    for (const ValueId input : node_->inputs) {
      if (StaticBytes(input, Layout::kC4) == kNoSlot) return false;
    }
    builder_.Forget(Output(), kC4F32);
    SlotId y = builder_.Find(Output(), kC4I8);
    if (y == kNoSlot) y = builder_.NewQuantizedSlot(Output(), Layout::kC4, QuantizationOf(*grid));
    const Image target = ImageOf(ShapeOf(Output()));
    std::ptrdiff_t channel = 0;
    for (const ValueId input : node_->inputs) {
      const SlotId x = StaticBytes(input, Layout::kC4);
      const Image image = ImageOf(ShapeOf(input));
      const std::size_t place = channel % 4 == 0 ? static_cast<std::size_t>(target.Index(channel, 0)) : 1;
      if (builder_.slot(x).parent != y || builder_.slot(x).offset != place) {
        const auto table =
            w4a8::MakeTable(GridOf(builder_.slot(x).quantization), std::nullopt, GridOf(builder_.slot(y).quantization));
        builder_.AddStep({x}, {y},
                         [=](Memory& m) { w4a8::JoinChannels(image, table, m.I8(x), target, channel, m.I8(y)); });
      }
      channel += image.channels;
    }
    return true;
  }

  // From an image to a row of numbers.
  bool LowerReshape() {
    if (node_->activation) return false;
    const SlotId plain = StaticBytes(Input(0), Layout::kPlain);
    if (plain != kNoSlot && !IsImage(ShapeOf(Output()))) {
      builder_.Alias(Output(), kPlainI8, plain);
      return true;
    }
    const SlotId x = IsImage(ShapeOf(Input(0))) ? StaticBytes(Input(0), Layout::kC4) : kNoSlot;
    if (x == kNoSlot || IsImage(ShapeOf(Output()))) return false;
    const Image image = ImageOf(ShapeOf(Input(0)));
    const SlotId y = builder_.NewQuantizedSlot(Output(), Layout::kPlain, builder_.slot(x).quantization);
    builder_.AddStep({x}, {y}, [=](Memory& m) { w4a8::ToRow(image, m.I8(x), m.I8(y)); });
    return true;
  }

  bool Vectors() const { return builder_.kernels() != KernelSet::kReference; }

  PlanBuilder& builder_;
  bool dynamic_;
  w4a8::Arithmetic arithmetic_;
  const Node* node_ = nullptr;
};

}  // namespace

Result<void> LowerW4A8(PlanBuilder& builder, bool dynamic_ranges) {
  builder.dequantize = DequantizeSlot;
  Lowering lowering(builder, dynamic_ranges);
  for (const Node& node : builder.graph().nodes) {
    builder.BeginNode(node);
    if (auto lowered = lowering.Lower(node); !lowered) return lowered;
    builder.EndNode();
  }
  return {};
}

}  // namespace kdequant::runtime
