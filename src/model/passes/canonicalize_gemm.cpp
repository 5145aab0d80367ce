#include "evaluate.h"
#include "fault.h"
#include "passes/passes.h"
#include "passes/sweep.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

class GemmRewriter {
 public:
  GemmRewriter(Graph& graph, Work& work) : graph_(graph), work_(work), sweep_(graph) {}

  Result<bool> Run() {
    while (sweep_.Next()) {
      const Node& node = sweep_.node();
      const bool weighted = node.inputs.size() > 1 && graph_.IsConstant(node.inputs[1]);
      Result<void> done;
      if (std::holds_alternative<Gemm>(node.op) && weighted && !IsCanonical(node)) {
        done = RewriteGemm(node);
      } else if (std::holds_alternative<Gemm>(node.op) && !weighted) {
        ReplaceByMatMul(node);
      } else if (std::holds_alternative<MatMul>(node.op) && weighted && ShapeOf(node.inputs[1]).size() == 2) {
        done = RewriteMatMul(node);
      } else {
        sweep_.Keep();
      }
      if (!done) return Finish(std::move(done));
    }
    return sweep_.changed();
  }

 private:
  // The sweep holds the nodes: the graph is abandoned with the error.
  static std::unexpected<Error> Finish(Result<void> failed) { return Forward(failed); }

  const Shape& ShapeOf(ValueId id) const { return *graph_.value(id).shape; }
  const std::string& Name(ValueId id) const { return graph_.value(id).name; }

  bool IsCanonical(const Node& node) const {
    const auto& gemm = std::get<Gemm>(node.op);
    if (gemm.alpha != 1 || gemm.beta != 1 || gemm.trans_a || !gemm.trans_b) return false;
    if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return true;
    return graph_.FloatConstant(node.inputs[2]) != nullptr &&
           ShapeOf(node.inputs[2]) == Shape{ShapeOf(node.inputs[1])[0]};
  }

  // x transposed, by a node of its own.
  ValueId Transposed(ValueId x, const Node& node, const std::string& what) {
    const Shape& shape = ShapeOf(x);
    const ValueId result = sweep_.AddValue(Name(node.outputs[0]) + what, {shape[1], shape[0]});
    sweep_.Emit(
        {.name = node.name + what, .op = Transpose{{1, 0}}, .inputs = {x}, .outputs = {result}, .activation = {}});
    return result;
  }

  // The weight [N, K], scaled.
  Result<ValueId> CanonicalWeight(const Node& node, bool transposed, float alpha) {
    const ValueId id = node.inputs[1];
    if (transposed && alpha == 1) return id;
    const auto count = ElementCount(ShapeOf(id));
    if (auto paid = work_.Spend(count.value_or(0), node); !paid) return Forward(paid);
    auto weight = Dequantize(*graph_.value(id).constant);
    if (!weight) return Forward(weight);
    if (!transposed) *weight = TransposedMatrix(*weight);
    if (alpha != 1) {
      for (float& w : weight->values) w *= alpha;
    }
    return sweep_.ChangeConstant(id, std::move(*weight));
  }

  // A constant c as a bias [N] times beta, or kNoValue where it is none: computed, or different from row to row.
  Result<ValueId> CanonicalBias(const Node& node, float beta) {
    const ValueId id = node.inputs[2];
    const Shape& shape = ShapeOf(id);
    const std::int64_t columns = ShapeOf(node.outputs[0])[1];
    const bool rows_differ = shape.size() == 2 && shape[0] != 1;
    if (!graph_.IsConstant(id) || rows_differ) return kNoValue;
    if (auto paid = work_.Spend(static_cast<std::size_t>(columns), node); !paid) return Forward(paid);
    auto values = Dequantize(*graph_.value(id).constant);
    if (!values) return Forward(values);
    FloatTensor bias{{columns}, values->values};
    if (bias.values.size() == 1) bias.values.assign(static_cast<std::size_t>(columns), bias.values[0]);
    if (beta != 1) {
      for (float& b : bias.values) b *= beta;
    }
    return sweep_.ChangeConstant(id, std::move(bias));
  }

  // What a node adds to the product: c times beta.
  ValueId ScaledByConstant(ValueId x, float factor, const Node& node, const std::string& what) {
    if (factor == 1) return x;
    const ValueId constant = sweep_.AddConstant(Name(node.outputs[0]) + what, FloatTensor{{1}, {factor}});
    const ValueId result = sweep_.AddValue(Name(node.outputs[0]) + what + "/scaled", ShapeOf(x));
    sweep_.Emit({.name = node.name + what,
                 .op = Elementwise{Elementwise::Kind::kMul},
                 .inputs = {x, constant},
                 .outputs = {result},
                 .activation = {}});
    return result;
  }

  void EmitSum(const Node& node, ValueId product, ValueId c, float beta) {
    const ValueId addend = ScaledByConstant(c, beta, node, "/beta");
    sweep_.Emit({.name = node.name + "/bias",
                 .op = Elementwise{Elementwise::Kind::kAdd},
                 .inputs = {product, addend},
                 .outputs = node.outputs,
                 .activation = node.activation});
  }

  Result<void> RewriteGemm(const Node& node) {
    const auto gemm = std::get<Gemm>(node.op);
    const ValueId x = gemm.trans_a ? Transposed(node.inputs[0], node, "/transposed") : node.inputs[0];
    const auto weight = CanonicalWeight(node, gemm.trans_b, gemm.alpha);
    if (!weight) return std::unexpected(weight.error());
    Node product{.name = node.name,
                 .op = Gemm{.trans_b = true},
                 .inputs = {x, *weight},
                 .outputs = node.outputs,
                 .activation = {}};
    const bool has_c = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (has_c && gemm.beta != 0) {
      const auto bias = CanonicalBias(node, gemm.beta);
      if (!bias) return std::unexpected(bias.error());
      if (*bias == kNoValue) {
        product.outputs = {sweep_.AddValue(Name(node.outputs[0]) + "/product", ShapeOf(node.outputs[0]))};
        const ValueId result = product.outputs[0];
        sweep_.Emit(std::move(product));
        EmitSum(node, result, node.inputs[2], gemm.beta);
        return {};
      }
      product.inputs.push_back(*bias);
    }
    product.activation = node.activation;
    sweep_.Emit(std::move(product));
    return {};
  }

  void ReplaceByMatMul(const Node& node) {
    const auto gemm = std::get<Gemm>(node.op);
    const ValueId a = gemm.trans_a ? Transposed(node.inputs[0], node, "/transposed_a") : node.inputs[0];
    const ValueId b = gemm.trans_b ? Transposed(node.inputs[1], node, "/transposed_b") : node.inputs[1];
    const bool has_c = node.inputs.size() > 2 && node.inputs[2] != kNoValue && gemm.beta != 0;
    const bool plain = gemm.alpha == 1 && !has_c && !node.activation;
    Node product{.name = node.name, .op = MatMul{}, .inputs = {a, b}, .outputs = node.outputs, .activation = {}};
    if (plain) return sweep_.Emit(std::move(product));
    ValueId result = sweep_.AddValue(Name(node.outputs[0]) + "/product", ShapeOf(node.outputs[0]));
    product.outputs = {result};
    sweep_.Emit(std::move(product));
    if (has_c) return EmitSum(node, ScaledByConstant(result, gemm.alpha, node, "/alpha"), node.inputs[2], gemm.beta);
    const ValueId alpha = sweep_.AddConstant(Name(node.outputs[0]) + "/alpha", FloatTensor{{1}, {gemm.alpha}});
    sweep_.Emit({.name = node.name + "/alpha",
                 .op = Elementwise{Elementwise::Kind::kMul},
                 .inputs = {result, alpha},
                 .outputs = node.outputs,
                 .activation = node.activation});
  }

  // All axes of x but the last together are the rows of one matrix.
  Result<void> RewriteMatMul(const Node& node) {
    const Shape& x = ShapeOf(node.inputs[0]);
    const std::int64_t depth = x.back();
    const auto elements = ElementCount(x);
    if (!elements) return std::unexpected(elements.error());
    const std::int64_t rows = static_cast<std::int64_t>(*elements) / depth;
    const auto weight = CanonicalWeight(node, false, 1);
    if (!weight) return std::unexpected(weight.error());
    Node product{.name = node.name,
                 .op = Gemm{.trans_b = true},
                 .inputs = {node.inputs[0], *weight},
                 .outputs = node.outputs,
                 .activation = {}};
    if (x.size() == 2) {
      sweep_.Emit(std::move(product));
      return {};
    }
    const std::int64_t columns = ShapeOf(*weight)[0];
    const std::string name = Name(node.outputs[0]);
    const ValueId matrix = sweep_.AddValue(name + "/rows", {rows, depth});
    const ValueId result = sweep_.AddValue(name + "/product", {rows, columns});
    sweep_.Emit({.name = node.name + "/rows",
                 .op = Reshape{},
                 .inputs = {node.inputs[0]},
                 .outputs = {matrix},
                 .activation = {}});
    product.inputs[0] = matrix;
    product.outputs = {result};
    sweep_.Emit(std::move(product));
    sweep_.Emit(
        {.name = node.name + "/shape", .op = Reshape{}, .inputs = {result}, .outputs = node.outputs, .activation = {}});
    return {};
  }

  Graph& graph_;
  Work& work_;
  Sweep sweep_;
};

}  // namespace

Result<bool> CanonicalizeGemm(Graph& graph, Work& work) { return GemmRewriter(graph, work).Run(); }

}  // namespace kdequant::model
