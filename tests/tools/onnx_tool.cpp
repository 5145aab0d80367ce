// kdequant_onnx_tool: reads ONNX files and writes them again, for tests/parity/onnx_roundtrip.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/model/prepare.h"
#include "kdequant/onnx/reader.h"
#include "kdequant/onnx/writer.h"

namespace kdequant {
namespace {

constexpr const char* kUsage =
    "usage: kdequant_onnx_tool roundtrip IN OUT   read and write\n"
    "       kdequant_onnx_tool prepare IN OUT     read, prepare and write\n"
    "       kdequant_onnx_tool time FILE...       milliseconds to read, best of 5\n";

Result<std::vector<std::uint8_t>> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorCode::kCannotRead, path + " cannot be read");
  return std::vector<std::uint8_t>(std::istreambuf_iterator<char>(file), {});
}

Result<void> Roundtrip(const std::string& in, const std::string& out, bool prepare) {
  auto bytes = ReadFile(in);
  if (!bytes) return Forward(bytes);
  auto graph = ReadOnnx(*bytes);
  if (!graph) return Forward(graph);
  if (prepare) {
    if (auto done = Prepare(*graph); !done) return done;
  }
  auto written = WriteOnnx(*graph);
  if (!written) return Forward(written);
  std::ofstream file(out, std::ios::binary);
  file.write(reinterpret_cast<const char*>(written->data()), static_cast<std::streamsize>(written->size()));
  if (!file.flush()) return Fail(ErrorCode::kCannotWrite, out + " cannot be written");
  return {};
}

Result<void> Time(const std::string& path) {
  auto bytes = ReadFile(path);
  if (!bytes) return Forward(bytes);
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    if (auto graph = ReadOnnx(*bytes); !graph) return Forward(graph);
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf("%s: %.2f ms for %zu bytes\n", path.c_str(), best, bytes->size());
  return {};
}

int Run(const std::vector<std::string>& arguments) {
  Result<void> done;
  if (arguments.size() == 3 && (arguments[0] == "roundtrip" || arguments[0] == "prepare")) {
    done = Roundtrip(arguments[1], arguments[2], arguments[0] == "prepare");
  } else if (arguments.size() > 1 && arguments[0] == "time") {
    for (std::size_t i = 1; i < arguments.size() && done; ++i) done = Time(arguments[i]);
  } else {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (done) return 0;
  std::fprintf(stderr, "error: %s\n", done.error().message.c_str());
  return 3;
}

}  // namespace
}  // namespace kdequant

int main(int argc, char** argv) { return kdequant::Run({argv + 1, argv + argc}); }
