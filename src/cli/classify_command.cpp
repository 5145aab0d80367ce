// kdequant classify: what is in these pictures?

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common_options.h"
#include "interrupt.h"
#include "kdequant/classify/image_files.h"
#include "kdequant/classify/labels.h"
#include "model_file.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr const char* kClassifyExamples = R"(Examples:
  kdequant classify model.onnx cat.jpg
  kdequant classify small.onnx photos/*.jpg --top 3 --json
  kdequant classify vgg.onnx cat.jpg --preprocess caffe,resize=256

A folder stands for the pictures in it. A picture that cannot be read is named on standard error, the others are classified all
the same, and the exit code is 3. Times are of the network alone.)";

struct ClassifyOptions {
  std::string model;
  std::vector<std::string> images;
  int top = 5;
  RunOptions run;
};

struct Answer {
  std::string file;
  Classification classification;
};

std::string AnswersToText(const std::vector<Answer>& answers, const Labels& labels, const SessionInfo& info) {
  const bool bars = StandardOutputIsTerminal();
  const bool utf8 = LocaleIsUtf8();
  std::string text;
  if (labels.assumed() && !answers.empty()) {
    text += "The file does not name its classes; these are ImageNet's, because there are as many.\n\n";
  }
  for (const Answer& answer : answers) {
    text += (&answer == answers.data() ? "" : "\n") + answer.file + "  (" + std::string(PrecisionName(info.precision)) +
            ", " + Fixed(answer.classification.milliseconds, 1) + " ms)\n";
    Table table({"  class", "", ">probability", ""});
    for (const Prediction& prediction : answer.classification.top) {
      table.Add({"  " + labels.Name(prediction.class_index), "[" + std::to_string(prediction.class_index) + "]",
                 Fixed(100 * prediction.probability, 1) + " %", bars ? Bar(prediction.probability, 30, utf8) : ""});
    }
    text += table.text();
  }
  return text;
}

std::string AnswersToJson(const std::vector<Answer>& answers, const Labels& labels,
                          const std::optional<Error>& failure) {
  Json json;
  json.Begin().Key("images").BeginList();
  for (const Answer& answer : answers) {
    json.Begin().Field("file", answer.file).Field("ms", answer.classification.milliseconds).Key("top").BeginList();
    for (const Prediction& prediction : answer.classification.top) {
      json.Begin()
          .Field("class", prediction.class_index)
          .Field("label", labels.Name(prediction.class_index))
          .Field("probability", prediction.probability)
          .End();
    }
    json.EndList().End();
  }
  json.EndList();
  if (failure) WriteError(*failure, json);
  json.End();
  return std::string(json.text());
}

Result<std::vector<std::string>> PictureFiles(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (!std::filesystem::is_directory(argument, error)) {
      files.push_back(argument);
      continue;
    }
    auto pictures = ListPictures(argument);
    if (!pictures) return Forward(pictures);
    for (const auto& picture : *pictures) files.push_back(picture.string());
  }
  return files;
}

Result<Classification> ClassifyFile(const std::string& file, std::size_t top, Classifier& classifier) {
  auto image = ReadImage(file);
  if (!image) return Forward(image);
  auto classification = classifier.Classify(*image, top);
  if (!classification) return std::unexpected(InFile(file, std::move(classification.error())));
  return classification;
}

ExitCode Classify(const ClassifyOptions& options) {
  const bool as_json = options.run.json;
  const auto fail = [&](const Error& error) { return ReportFailure(error, as_json); };
  auto settings = ClassifierOptionsOf(options.run);
  if (!settings) return fail(settings.error());
  auto files = PictureFiles(options.images);
  if (!files) return fail(files.error());
  auto model = LoadModel(options.model, options.run.preprocess);
  if (!model) return fail(model.error());
  auto classifier = Classifier::Create(model->graph, *settings);
  if (!classifier) return fail(InFile(options.model, classifier.error()));

  std::vector<Answer> answers;
  std::optional<Error> failure;  // the first one
  for (const std::string& file : *files) {
    if (Interrupted()) return fail({ErrorCode::kCancelled, "cancelled", {}});
    auto classification = ClassifyFile(file, static_cast<std::size_t>(options.top), *classifier);
    if (classification) {
      answers.push_back({file, std::move(*classification)});
      continue;
    }
    PrintError(classification.error());
    if (!failure) failure = std::move(classification.error());
  }
  const Labels labels = LabelsFor(model->graph, classifier->class_count(), ImageNetNames());
  ExitCode written = kExitDone;
  if (as_json) {
    written = PrintResult(AnswersToJson(answers, labels, failure));
  } else if (!answers.empty()) {
    written = PrintResult(AnswersToText(answers, labels, classifier->info()));
  }
  return failure ? ExitCodeOf(failure->code) : written;
}

}  // namespace

void AddClassify(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ClassifyOptions>();
  CLI::App* verb = app.add_subcommand("classify", "Names what is in pictures");
  verb->add_option("MODEL", options->model, "The network, float or quantized")->required()->type_name("");
  verb->add_option("IMAGE", options->images, "JPEG, PNG, BMP, GIF or PPM files, or folders of them")
      ->required()
      ->type_name("");
  verb->add_option("--top", options->top, "How many answers a picture (5)")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  verb->add_option("--threads", options->run.threads, "Threads for one picture (1)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  AddRunOptions(*verb, options->run);
  verb->footer(kClassifyExamples);
  verb->callback([options, &run] { run = [options] { return Classify(*options); }; });
}

}  // namespace kdequant
