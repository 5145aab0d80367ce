// Any bytes to ReadOnnx, what it accepts to Prepare and WriteOnnx, and what that writes to ReadOnnx again.
//
//   make_onnx_corpus seeds && fuzz_onnx -max_len=16384 -rss_limit_mb=2048 corpus seeds build/golden/operators
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "kdequant/model/prepare.h"
#include "kdequant/onnx/reader.h"
#include "kdequant/onnx/writer.h"

namespace {

[[noreturn]] void Report(const char* what, const kdequant::Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.message.c_str());
  std::abort();
}

// What we wrote is ours: it must be readable.
void CheckWritten(const kdequant::Graph& graph) {
  const auto bytes = kdequant::WriteOnnx(graph);
  if (!bytes) {
    // An operator that does not fit its inputs may be unwritable before preparation has looked at it.
    return;
  }
  if (const auto again = kdequant::ReadOnnx(*bytes); !again) Report("a written file cannot be read", again.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto graph = kdequant::ReadOnnx(std::span(data, size));
  if (!graph) return 0;
  CheckWritten(*graph);
  if (!kdequant::Prepare(*graph, {.default_size = 32})) return 0;
  if (const auto bytes = kdequant::WriteOnnx(*graph); !bytes)
    Report("a prepared graph cannot be written", bytes.error());
  CheckWritten(*graph);
  return 0;
}
