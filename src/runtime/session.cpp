#include "kdequant/runtime/session.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "kernels/relaxed.h"
#include "lower.h"
#include "plan.h"

namespace kdequant {
namespace {

constexpr bool kHasRelaxed = KDEQUANT_HAS_RELAXED;

Result<KernelSet> ResolveKernels(const SessionOptions& options) {
  if (options.kernels == KernelSet::kBest) {
    return kHasRelaxed ? KernelSet::kRelaxed : KernelSet::kSimd128;
  }
  if (options.kernels == KernelSet::kRelaxed && !kHasRelaxed) {
    return Fail(ErrorCode::kUnsupported, "this build has no relaxed SIMD kernels; ask for simd128 or best");
  }
  return options.kernels;
}

Result<runtime::Plan> MakePlan(const Graph& graph, const SessionOptions& options, KernelSet kernels, int threads) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1 || !graph.value(graph.inputs[0]).shape) {
    return Fail(ErrorCode::kUnsupported,
                "the graph has not one input and one output of known shapes; prepare it first");
  }
  if (auto runnable = runtime::CheckRunnable(graph); !runnable) return Forward(runnable);
  runtime::PlanBuilder builder(graph, kernels, threads);
  if (options.precision == Precision::kF32 && kernels == KernelSet::kRelaxed) builder.AllowFused();
  auto lowered = options.precision == Precision::kF32 ? runtime::LowerF32(builder)
                                                      : runtime::LowerW4A8(builder, options.dynamic_ranges);
  if (!lowered) return Forward(lowered);
  return builder.Finish();
}

}  // namespace

std::string_view KernelSetName(KernelSet kernels) {
  switch (kernels) {
    case KernelSet::kBest: return "best";
    case KernelSet::kReference: return "reference";
    case KernelSet::kSimd128: return "simd128";
    case KernelSet::kRelaxed: return "relaxed";
  }
  return "unknown";
}

class Session::Implementation {
 public:
  Implementation(std::shared_ptr<ThreadPool> pool, runtime::Plan plan, runtime::Memory memory, SessionInfo info)
      : pool_(std::move(pool)), plan_(std::move(plan)), memory_(std::move(memory)), info_(std::move(info)) {
    input_elements_ = Elements(input_shape());
    output_elements_ = Elements(output_shape());
  }

  Result<void> SetInput(std::span<const float> input) {
    if (input.size() != input_elements_) {
      return Fail(ErrorCode::kBadInput, "the input has " + std::to_string(input.size()) +
                                            " elements, but the network wants " + ShapeToString(input_shape()) + " = " +
                                            std::to_string(input_elements_));
    }
    if (!runtime::CopyFinite(input, memory_.F32(plan_.inputs[0]))) {
      return Fail(ErrorCode::kNotFinite, "the input holds a NaN or an infinity; check the picture's preprocessing");
    }
    return {};
  }

  void RunStep(const runtime::Step& step) {
    if (step.kernel) step.kernel->Run(memory_);
  }

  void Observe(const runtime::Step& step, const Observer& observer) {
    runtime::ShowResult(plan_, step, memory_, observed_, observer);
  }

  const Shape& input_shape() const { return plan_.ShapeOf(plan_.inputs[0]); }
  const Shape& output_shape() const { return plan_.ShapeOf(plan_.outputs[0]); }
  std::span<const float> Output() const { return {memory_.F32(plan_.outputs[0]), output_elements_}; }
  const runtime::Plan& plan() const { return plan_; }
  const SessionInfo& info() const { return info_; }

 private:
  // Shapes of a plan have been counted without overflow before.
  static std::size_t Elements(const Shape& shape) { return ElementCount(shape).value_or(0); }

  std::shared_ptr<ThreadPool> pool_;
  runtime::Plan plan_;
  runtime::Memory memory_;
  SessionInfo info_;
  std::size_t input_elements_ = 0;
  std::size_t output_elements_ = 0;
  std::vector<float> observed_;
};

Session::Session(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::Create(const Graph& graph, const SessionOptions& options) {
  try {
    auto kernels = ResolveKernels(options);
    if (!kernels) return Forward(kernels);
    auto pool = options.pool ? options.pool : std::make_shared<ThreadPool>(std::max(1, options.threads));
    const Threads threads(*pool, options.threads);
    auto plan = MakePlan(graph, options, *kernels, threads.count());
    if (!plan) return Forward(plan);
    auto memory = plan->Allocate(threads);
    if (!memory) return Forward(memory);
    SessionInfo info{.kernels = *kernels,
                     .precision = options.precision,
                     .threads = threads.count(),
                     .arena_bytes = plan->arena_bytes,
                     .weight_bytes = plan->weight_bytes,
                     .float_layers = plan->float_layers};
    return Session(
        std::make_unique<Implementation>(std::move(pool), std::move(*plan), std::move(*memory), std::move(info)));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, "there is not enough memory to run the network; use a smaller one");
  }
}

Result<std::span<const float>> Session::Run(std::span<const float> input) {
  if (auto set = implementation_->SetInput(input); !set) return Forward(set);
  for (const runtime::Step& step : implementation_->plan().steps) implementation_->RunStep(step);
  return implementation_->Output();
}

Result<std::span<const float>> Session::Run(std::span<const float> input, const Observer& observer) {
  if (auto set = implementation_->SetInput(input); !set) return Forward(set);
  for (const runtime::Step& step : implementation_->plan().steps) {
    implementation_->RunStep(step);
    implementation_->Observe(step, observer);
  }
  return implementation_->Output();
}

Result<std::vector<StepTime>> Session::Profile(std::span<const float> input) {
  if (auto set = implementation_->SetInput(input); !set) return Forward(set);
  std::vector<StepTime> times;
  for (const runtime::Step& step : implementation_->plan().steps) {
    if (!step.kernel) continue;
    const auto start = std::chrono::steady_clock::now();
    implementation_->RunStep(step);
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    times.push_back({.layer = step.layer, .operator_name = step.operator_name, .milliseconds = spent.count()});
  }
  return times;
}

const Shape& Session::input_shape() const { return implementation_->input_shape(); }
const Shape& Session::output_shape() const { return implementation_->output_shape(); }
const SessionInfo& Session::info() const { return implementation_->info(); }

}  // namespace kdequant
