// kdequant eval: how often is a network right, and how often does it say what its float reference says?

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common_options.h"
#include "eval_report.h"
#include "job_runner.h"
#include "kdequant/classify/evaluation.h"
#include "kdequant/classify/image_files.h"
#include "model_file.h"

namespace kdequant {
namespace {

constexpr const char* kEvalExamples = R"(Examples:
  kdequant eval small.onnx --reference model.onnx --images photos --labels photos/labels.csv
  kdequant eval small.onnx --images test.u8 --image-shape 32x32x3 --labels test.i32 --json
  kdequant eval small.onnx --images photos --labels labels.csv --shard 1/4 --json > part1.json
  kdequant eval --merge part1.json part2.json part3.json part4.json

Labels: a CSV table with the columns file and class_index (its files are evaluated, in its order), or for raw pictures a file of
little-endian int32. Percentages are of the pictures that could be read; the others are named. The 95 % interval of the points
lost is the paired one (normal approximation). Times are of the network alone, and grow when --threads is more than the cores.)";

struct EvalOptions {
  std::string model;
  std::string images;
  std::string image_shape;
  std::string labels;
  std::string reference;
  std::string shard;
  std::vector<std::string> merge;
  std::int64_t label_offset = 0;
  std::size_t limit = 0;
  RunOptions run;
};

Result<std::shared_ptr<const ImageSource>> OpenImages(const EvalOptions& options) {
  std::optional<std::filesystem::path> labels;
  if (!options.labels.empty()) labels = options.labels;
  std::error_code error;
  if (std::filesystem::is_directory(options.images, error)) {
    if (!options.image_shape.empty()) {
      return Fail(ErrorCode::kUsage,
                  "--image-shape is for a file of raw pictures, and " + options.images + " is a folder");
    }
    return OpenFolder(options.images, labels);
  }
  if (!std::filesystem::exists(options.images, error)) {
    return Fail(ErrorCode::kCannotRead, options.images + ": no such file or folder");
  }
  if (options.image_shape.empty()) {
    return Fail(ErrorCode::kUsage,
                options.images +
                    " is a file, not a folder of pictures; if it holds raw pictures, say their shape, "
                    "such as --image-shape 32x32x3");
  }
  auto shape = ParseRawShape(options.image_shape);
  if (!shape) return Forward(shape);
  return OpenRawImages(options.images, *shape, labels);
}

Result<EvalReport> Evaluate(const EvalOptions& options) {
  EvalReport report;
  EvaluationOptions settings{
      .classifier = {}, .threads = options.run.threads, .label_offset = options.label_offset, .limit = options.limit};
  if (!options.shard.empty()) {
    auto shard = ParseShard(options.shard);
    if (!shard) return Forward(shard);
    report.shard = *shard;
    settings.shard = shard->number - 1;
    settings.shards = shard->of;
  }
  RunOptions one_thread = options.run;
  one_thread.threads = 1;  // pictures run side by side, each on one thread
  auto classifier = ClassifierOptionsOf(one_thread);
  if (!classifier) return Forward(classifier);
  settings.classifier = *classifier;
  auto images = OpenImages(options);
  if (!images) return Forward(images);
  auto model = LoadModel(options.model, options.run.preprocess);
  if (!model) return Forward(model);
  std::optional<ModelFile> reference;
  if (!options.reference.empty()) {
    auto loaded = LoadModel(options.reference, options.run.preprocess);
    if (!loaded) return Forward(loaded);
    reference = std::move(*loaded);
  }
  auto evaluation =
      Evaluation::Create(model->graph, reference ? &reference->graph : nullptr, std::move(*images), settings);
  if (!evaluation) return Forward(evaluation);
  auto run = RunJob(**evaluation);
  if (!run) return Forward(run);
  report.counts = (*evaluation)->counts();
  report.skipped = (*evaluation)->skipped();
  report.precision = PrecisionName((*evaluation)->info().precision);
  return report;
}

Result<void> CheckUsage(const EvalOptions& options) {
  if (!options.merge.empty()) {
    if (!options.model.empty() || !options.images.empty()) {
      return Fail(ErrorCode::kUsage,
                  "--merge adds up results that are there; it goes without a model and without --images");
    }
    return {};
  }
  if (options.model.empty()) return Fail(ErrorCode::kUsage, "MODEL is missing; see kdequant eval --help");
  if (options.images.empty()) return Fail(ErrorCode::kUsage, "--images is missing; see kdequant eval --help");
  return {};
}

ExitCode Eval(const EvalOptions& options) {
  auto usage = CheckUsage(options);
  if (!usage) return ReportFailure(usage.error(), options.run.json);
  auto report = options.merge.empty() ? Evaluate(options) : MergeReports(options.merge);
  if (!report) return ReportFailure(report.error(), options.run.json);
  for (const SkippedPicture& picture : report->skipped) {
    std::fprintf(stderr, "warning: skipped: %s\n", picture.error.message.c_str());
  }
  return PrintResult(options.run.json ? EvalToJson(*report) : EvalToText(*report));
}

}  // namespace

void AddEval(CLI::App& app, Run& run) {
  const auto options = std::make_shared<EvalOptions>();
  options->run.threads = 0;
  CLI::App* verb = app.add_subcommand("eval", "Measures accuracy, and agreement with a float network");
  verb->add_option("MODEL", options->model, "The network, float or quantized")->type_name("");
  verb->add_option("--images", options->images, "A folder of pictures, or a file of raw pictures")
      ->type_name("DIR|FILE.u8");
  verb->add_option("--image-shape", options->image_shape, "Of raw pictures: height, width, 3")->type_name("HxWx3");
  verb->add_option("--labels", options->labels, "Which class each picture shows")->type_name("CSV|FILE.i32");
  verb->add_option("--label-offset", options->label_offset,
                   "Added to every label: 1 for networks whose first class is \"background\" (0)")
      ->type_name("N");
  verb->add_option("--reference", options->reference, "The float network to compare with")->type_name("FLOAT.onnx");
  verb->add_option("--limit", options->limit, "Only the first N pictures")->check(CLI::PositiveNumber)->type_name("N");
  verb->add_option("--shard", options->shard, "Only part I of N (from 1): every N-th picture")->type_name("I/N");
  verb->add_option("--merge", options->merge, "Add up the --json results of all parts")->type_name("FILES");
  verb->add_option("--threads", options->run.threads, "Pictures at once; the result does not depend on it (all cores)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  AddRunOptions(*verb, options->run);
  verb->footer(kEvalExamples);
  verb->callback([options, &run] { run = [options] { return Eval(*options); }; });
}

}  // namespace kdequant
