// Sessions on several threads, float and quantized.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "kdequant/base/parallel.h"
#include "kdequant/base/random.h"
#include "kdequant/quantize/quantize.h"
#include "kdequant/runtime/session.h"
#include "kdequant/vision/preprocess.h"
#include "small_network.h"

namespace kdequant {
namespace {

Graph Quantized(const Graph& graph) {
  QuantizeOptions options;
  ApplyEffort(Effort::kFast, options);
  options.picture_count = 8;
  options.preprocess = ParsePreprocess("scale=1/255,resize=0,size=12").value();
  auto job = QuantizeJob::Create(std::make_shared<const Graph>(graph), options).value();
  REQUIRE(Finish(*job));
  return job->TakeGraph();
}

std::vector<float> Logits(const Graph& graph, const SessionOptions& options, int expected_threads) {
  Random random(3);
  std::vector<float> input(3 * 12 * 12);
  for (auto& x : input) x = static_cast<float>(random.Normal());
  Session session = Session::Create(graph, options).value();
  CHECK(session.info().threads == expected_threads);
  std::vector<float> logits;
  for (int run = 0; run < 20; ++run) {  // A race need not show in the first.
    const auto output = session.Run(input).value();
    if (run > 0) CHECK(logits == std::vector<float>(output.begin(), output.end()));
    logits.assign(output.begin(), output.end());
  }
  return logits;
}

}  // namespace

TEST_CASE("A network answers the same, bit for bit, on any number of threads, in float and in w4a8") {
  const Graph floats = SmallNetwork();
  const Graph quantized = Quantized(floats);
  const auto shared = std::make_shared<ThreadPool>(3);
  for (const bool dynamic : {false, true}) {
    for (const auto precision : {Precision::kF32, Precision::kW4A8}) {
      const Graph& graph = precision == Precision::kF32 ? floats : quantized;
      SessionOptions options{.precision = precision, .kernels = KernelSet::kReference, .dynamic_ranges = dynamic};
      const auto expected = Logits(graph, options, 1);
      options.kernels = KernelSet::kBest;
      for (const int threads : {1, 2, 3}) {
        CAPTURE(dynamic);
        CAPTURE(threads);
        options.threads = threads;
        options.pool = nullptr;
        CHECK(Logits(graph, options, threads) == expected);
        options.pool = shared;
        CHECK(Logits(graph, options, threads) == expected);
      }
    }
  }
}

TEST_CASE("A session has no more threads than the pool that it shares") {
  const SessionOptions options{.threads = 8, .pool = std::make_shared<ThreadPool>(2)};
  CHECK(Session::Create(SmallNetwork(), options).value().info().threads == 2);
}

}  // namespace kdequant
