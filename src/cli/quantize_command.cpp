// kdequant quantize: a float network in, a 4-bit network out.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "byte_budget.h"
#include "common_options.h"
#include "job_runner.h"
#include "kdequant/onnx/writer.h"
#include "kdequant/quantize/quantize.h"
#include "model_file.h"
#include "output_file.h"
#include "quantize_options.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr const char* kQuantizeExamples = R"(Examples:
  kdequant quantize model.onnx -o small.onnx
  kdequant quantize model.onnx -o small.onnx --calibration photos
  kdequant quantize model.onnx -o small.onnx --method k-means --granularity tensor --effort plain
  kdequant quantize model.onnx -o small.onnx --exclude 'head.*' --json > report.json
  kdequant quantize model.onnx -o small.onnx --override 'classifier=bits:8' --override 'block1.*=granularity:channel'

The written file is an ordinary ONNX file (opset 21). Depthwise layers get 8 bits. The same input, options and seed give the same
bytes on every machine. --effort names a combination of the other options:
  plain    the paper: levels from the weights alone, no picture, one codebook a layer (--codebooks 1)
  fast     activation ranges, bias correction and gains of channels from 16 synthetic pictures
  default  error compensation too, with 64 synthetic pictures (--fits 1), and 8 bits for the smallest layers (--widen)
  best     the same with 256, --fits 3 and --sweeps 4)";

// How well the layers that were quantized kept their weights.
struct Fidelity {
  double sum = 0;
  std::size_t count = 0;
  double worst = std::numeric_limits<double>::infinity();
  std::string worst_layer;
};

std::string Summary(const QuantizeArguments& arguments, const QuantizeReport& report, std::size_t bytes_in,
                    std::size_t bytes_out, double seconds) {
  Fidelity fidelity;
  std::size_t by_bits[33] = {};
  for (const LayerReport& layer : report.layers) {
    ++by_bits[std::clamp(layer.bits, 0, 32)];
    if (layer.bits >= 8 || !std::isfinite(layer.sqnr_db)) continue;
    fidelity.sum += layer.sqnr_db;
    ++fidelity.count;
    if (layer.sqnr_db < fidelity.worst) {
      fidelity.worst = layer.sqnr_db;
      fidelity.worst_layer = layer.name;
    }
  }
  std::string layers;
  for (const int bits : {4, 8, 32}) {
    if (by_bits[bits] == 0) continue;
    layers += (layers.empty() ? "" : ", ") + std::to_string(by_bits[bits]) +
              (bits == 32 ? " in float" : " in " + std::to_string(bits) + " bits");
  }
  Table table({"", ""});
  table.Add({"size", FormatBytes(bytes_in) + " -> " + FormatBytes(bytes_out) + " (" +
                         FormatPercent(static_cast<double>(bytes_out), static_cast<double>(bytes_in)) + ")"});
  table.Add({"layers", layers});
  table.Add(
      {"weights", FormatCount(report.weights) + ", " + FormatCount(report.weights_scanned) + " scanned, " +
                      FormatCount(report.weights_sampled) + " sampled (" +
                      FormatPercent(static_cast<double>(report.weights_sampled), static_cast<double>(report.weights)) +
                      ")"});
  if (fidelity.count > 0) {
    table.Add({"weight SQNR", "mean " + Fixed(fidelity.sum / static_cast<double>(fidelity.count), 1) + " dB, worst " +
                                  Fixed(fidelity.worst, 1) + " dB (" + fidelity.worst_layer + ")"});
  }
  table.Add({"time", Fixed(seconds, 1) + " s: levels " + Fixed(report.design_milliseconds / 1000, 1) +
                         " s, calibration " + Fixed(report.calibration_milliseconds / 1000, 1) + " s (" +
                         Plural(report.pictures, "picture") + ")" +
                         (report.compensation_milliseconds > 0
                              ? ", compensation " + Fixed(report.compensation_milliseconds / 1000, 1) + " s"
                              : "")});
  return "wrote " + arguments.output + table.text();  // the table's empty header ends the first line
}

ExitCode Quantize(const QuantizeArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto fail = [&](const Error& error) { return ReportFailure(error, arguments.json); };
  auto options = OptionsFrom(arguments);
  if (!options) return fail(options.error());
  auto model = LoadModel(arguments.input, arguments.preprocess);
  if (!model) return fail(model.error());
  auto output = OutputFile::Open(arguments.output);
  if (!output) return fail(output.error());
  if (auto added = AddPictures(arguments, model->graph, *options); !added) return fail(added.error());
  const auto graph = std::make_shared<const Graph>(std::move(model->graph));
  if (arguments.target_bytes) {
    if (auto widened = SpendBytes(graph, *arguments.target_bytes, *options); !widened) return fail(widened.error());
  }
  auto job = QuantizeJob::Create(graph, std::move(*options));
  if (!job) return fail(InFile(arguments.input, job.error()));
  if (auto run = RunJob(**job); !run) {
    return fail(run.error().code == ErrorCode::kCancelled ? run.error() : InFile(arguments.input, run.error()));
  }
  auto bytes = WriteOnnx((*job)->TakeGraph());
  if (!bytes) return fail(InFile(arguments.input, bytes.error()));
  if (auto committed = output->Commit(*bytes); !committed) return fail(committed.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const QuantizeReport& report = (*job)->report();
  return PrintResult(arguments.json ? ReportToJson(report, model->bytes, bytes->size(), seconds)
                                    : Summary(arguments, report, model->bytes, bytes->size(), seconds));
}

}  // namespace

void AddQuantize(CLI::App& app, Run& run) {
  const auto arguments = std::make_shared<QuantizeArguments>();
  CLI::App* verb = app.add_subcommand("quantize", "Makes a 4-bit network from a float one");
  verb->add_option("IN.onnx", arguments->input, "The float network")->required()->type_name("");
  verb->add_option("-o,--output", arguments->output,
                   "The 4-bit network; an old file stays whole until the new one is complete")
      ->required()
      ->type_name("OUT.onnx");
  verb->add_option("--method", arguments->method,
                   "How the 16 levels are found: kde-lm, kde-km (on a density estimated from samples), lloyd-max, "
                   "k-means, optimal (on "
                   "all weights), uniform-minmax, uniform-mse, nf4 (kde-lm)")
      ->type_name("NAME");
  verb->add_option("--granularity", arguments->granularity,
                   "What shares 16 levels: tensor (a layer), channel-scale (a layer, with a scale per output channel), "
                   "channel (channel-scale)")
      ->type_name("NAME");
  verb->add_option("--codebooks", arguments->codebooks,
                   "With channel-scale: how many times 16 levels a layer may have, 1 to 16; every channel takes those "
                   "that suit it best (16; effort fast 4, plain 1)")
      ->type_name("N");
  verb->add_option("--sampling", arguments->sampling, "stratified, random or stratified-blind (stratified)")
      ->type_name("NAME");
  verb->add_option("--samples", arguments->samples, "Weights a density is estimated from (1024)")->type_name("N|all");
  verb->add_option("--bandwidth", arguments->bandwidth, "silverman or isj (silverman)")->type_name("RULE");
  verb->add_option("--bandwidth-factor", arguments->bandwidth_factor, "Times the rule's bandwidth (0.5)")
      ->type_name("F");
  verb->add_option("--calibration", arguments->calibration,
                   "Pictures for activation ranges, bias correction and compensation: synthetic or synthetic:N, a "
                   "folder (up to 256 "
                   "of its pictures), or "
                   "none: no bias correction, no compensation, dynamic ranges (synthetic:64)")
      ->type_name("WHICH");
  verb->add_option("--compensation", arguments->compensation,
                   "Whether later weights make up for the rounding errors of earlier ones, and layers for those of "
                   "the layers before them (on)")
      ->type_name("on|off");
  verb->add_option("--fits", arguments->fits,
                   "With compensation: how often a layer's scales and levels are fitted to its compensated weights (1)")
      ->type_name("N");
  verb->add_option("--sweeps", arguments->sweeps,
                   "With compensation: sweeps in which single weights go to better levels afterwards (0)")
      ->type_name("N");
  verb->add_option(
          "--widen", arguments->widen,
          "Give the smallest layers 8 bits, for at most this much more than 4-bit weights take, in percent (2; small "
          "networks 40,000 bytes, at most 6)")
      ->type_name("PERCENT");
  verb->add_option("--activations", arguments->activations,
                   "static (ranges measured now and stored), dynamic (measured on every picture) or float (static)")
      ->type_name("MODE");
  verb->add_option("--effort", arguments->effort,
                   "plain, fast, default or best (see below); other options win over it (default)")
      ->type_name("NAME");
  verb->add_option("--bits", arguments->bits,
                   "Of a weight, 2 to 8: 2^N levels. 2 and 3 are stored as 4, 5 to 8 as 8 (4)")
      ->type_name("N");
  verb->add_option("--exclude", arguments->exclude,
                   "Layers to leave in float, by name; * and ? stand for any text and character")
      ->type_name("GLOB")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->delimiter(',');
  verb->add_option("--override", arguments->overrides,
                   "Options for some layers: bits:N, method:NAME, granularity:NAME, samples:N, compensation:off, "
                   "comma-separated; the last one that matches wins")
      ->type_name("GLOB=OPTION:VALUE,...")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option(
          "--target-bytes", arguments->target_bytes,
          "A size for the file: layers get 8 bits as far as it allows, those first that gain the most for a byte")
      ->type_name("N");
  verb->add_option("--seed", arguments->seed, "Of samples and synthetic pictures (1)")->type_name("N");
  verb->add_option("--threads", arguments->threads, "At most so many; this version quantizes on one (1)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  verb->add_option("--preprocess", arguments->preprocess, kPreprocessHelp)->type_name("SPEC");
  verb->add_flag("--json", arguments->json, "The report as one JSON object on standard output");
  verb->footer(kQuantizeExamples);
  verb->callback([arguments, &run] { run = [arguments] { return Quantize(*arguments); }; });
}

}  // namespace kdequant
