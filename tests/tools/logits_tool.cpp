// kdequant_logits_tool MODEL INPUT OUTPUT [f32|w4a8] [reference|simd128]: runs a network on raw float32, for
// tests/parity/engine.py and tests/data/check_onnxruntime.py. INPUT holds one input or several, one after the other.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "kdequant/model/prepare.h"
#include "kdequant/onnx/reader.h"
#include "kdequant/runtime/session.h"

namespace {

std::vector<std::uint8_t> ReadAll(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int Complain(const kdequant::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  auto graph = kdequant::ReadOnnx(ReadAll(argv[1]));
  if (!graph) return Complain(graph.error());
  if (auto done = kdequant::Prepare(*graph); !done) return Complain(done.error());
  kdequant::SessionOptions options;
  options.precision =
      argc > 4 && std::string(argv[4]) == "w4a8" ? kdequant::Precision::kW4A8 : kdequant::Precision::kF32;
  options.kernels =
      argc > 5 && std::string(argv[5]) == "reference" ? kdequant::KernelSet::kReference : kdequant::KernelSet::kSimd128;
  auto session = kdequant::Session::Create(*graph, options);
  if (!session) return Complain(session.error());
  const auto bytes = ReadAll(argv[2]);
  std::vector<float> input(bytes.size() / sizeof(float));
  std::memcpy(input.data(), bytes.data(), input.size() * sizeof(float));
  const std::size_t size = *kdequant::ElementCount(*graph->value(graph->inputs[0]).shape);
  std::ofstream file(argv[3], std::ios::binary);
  for (std::size_t at = 0; at < input.size(); at += size) {
    auto output = session->Run(std::span(input).subspan(at, size));
    if (!output) return Complain(output.error());
    file.write(reinterpret_cast<const char*>(output->data()), static_cast<std::streamsize>(output->size_bytes()));
  }
  return 0;
}
