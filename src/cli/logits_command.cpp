// kdequant logits: the network's numbers for one picture, for comparing builds and engines.

#include <memory>
#include <string>

#include "common_options.h"
#include "kdequant/classify/image_files.h"
#include "model_file.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr const char* kLogitsExamples = R"(Examples:
  kdequant logits small.onnx cat.jpg --json
  kdequant logits small.onnx cat.jpg --kernels reference > a.txt

Every digit counts: in w4a8 every build, kernel set and thread count prints the same. Without --json, one number a line.)";

struct LogitsOptions {
  std::string model;
  std::string image;
  RunOptions run;
};

ExitCode PrintLogits(const LogitsOptions& options) {
  const auto fail = [&](const Error& error) { return ReportFailure(error, options.run.json); };
  auto settings = ClassifierOptionsOf(options.run);
  if (!settings) return fail(settings.error());
  auto image = ReadImage(options.image);
  if (!image) return fail(image.error());
  auto model = LoadModel(options.model, options.run.preprocess);
  if (!model) return fail(model.error());
  auto classifier = Classifier::Create(model->graph, *settings);
  if (!classifier) return fail(InFile(options.model, classifier.error()));
  auto logits = classifier->Logits(*image);
  if (!logits) return fail(InFile(options.image, logits.error()));
  if (!options.run.json) {
    std::string text;
    char line[64];
    for (const float logit : *logits) {
      std::snprintf(line, sizeof(line), "%.9g\n", static_cast<double>(logit));
      text += line;
    }
    return PrintResult(text);
  }
  Json json;
  json.Begin().Key("logits").BeginList();
  for (const float logit : *logits) json.Value(logit);
  json.EndList()
      .Field("build", KernelSetName(classifier->info().kernels))
      .Field("precision", PrecisionName(classifier->info().precision))
      .End();
  return PrintResult(json.text());
}

}  // namespace

void AddLogits(CLI::App& app, Run& run) {
  const auto options = std::make_shared<LogitsOptions>();
  CLI::App* verb = app.add_subcommand("logits", "Prints the network's output for one picture");
  verb->add_option("MODEL", options->model, "The network, float or quantized")->required()->type_name("");
  verb->add_option("IMAGE", options->image, "A picture file")->required()->type_name("");
  verb->add_option("--threads", options->run.threads, "Threads (1)")->check(CLI::Range(1, 1024))->type_name("N");
  AddRunOptions(*verb, options->run);
  verb->footer(kLogitsExamples);
  verb->callback([options, &run] { run = [options] { return PrintLogits(*options); }; });
}

}  // namespace kdequant
