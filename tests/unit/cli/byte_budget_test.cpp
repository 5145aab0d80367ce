#include "byte_budget.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

#include "kdequant/base/job.h"
#include "kdequant/onnx/writer.h"
#include "kdequant/vision/preprocess.h"
#include "small_network.h"

namespace kdequant {
namespace {

// Layers of several thousand weights, beside which tables are small.
std::shared_ptr<const Graph> WideNetwork() {
  SmallNetworkBuilder builder(1);
  const ValueId x = builder.graph.AddValue({.name = "x", .shape = Shape{1, 3, 12, 12}});
  builder.graph.inputs = {x};
  ValueId y = builder.Convolve("first", x, 32, 3, 1);
  y = builder.Convolve("second", y, 48, 3, 1);
  y = builder.Convolve("third", y, 64, 3, 1);
  builder.graph.outputs = {y};
  return std::make_shared<const Graph>(std::move(builder.graph));
}

std::size_t FileSize(const std::shared_ptr<const Graph>& graph, QuantizeOptions options) {
  auto job = QuantizeJob::Create(graph, std::move(options)).value();
  REQUIRE(Finish(*job));
  return WriteOnnx(job->TakeGraph()).value().size();
}

TEST_CASE("A file made for a number of bytes takes no more, whatever the codebooks, and uses what it may") {
  const auto graph = WideNetwork();
  QuantizeOptions options;
  options.picture_count = 2;
  options.preprocess = ParsePreprocess("scale=1/255,resize=0,size=12").value();
  for (const int codebooks : {1, kMostCodebooks}) {
    CAPTURE(codebooks);
    options.codebooks = codebooks;
    options.widen = 0;
    const std::size_t smallest = FileSize(graph, options);
    // Room for the second layer in 8 bits, 6,912 bytes more, but not for the third, 13,824 more.
    const std::size_t target = smallest + 11'000;
    QuantizeOptions wide = options;
    REQUIRE(SpendBytes(graph, target, wide));
    CHECK(wide.overrides.size() == 2);
    const std::size_t size = FileSize(graph, wide);
    CHECK(size <= target);
    CHECK(size > smallest + 6'000);
    QuantizeOptions held = options;
    held.overrides = {{.layers = "sec*", .bits = 4}};
    REQUIRE(SpendBytes(graph, target, held));
    CHECK(held.overrides.size() <= 3);  // No layer is asked for twice, though the caller keeps one as it is.
    CHECK(held.overrides.back().layers == "sec*");
    CHECK(SpendBytes(graph, smallest / 2, wide).error().code == ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace kdequant
