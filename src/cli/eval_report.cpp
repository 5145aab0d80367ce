#include "eval_report.h"

#include <rapidjson/document.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "json.h"
#include "kdequant/classify/image_files.h"
#include "model_file.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr std::size_t kMaxShards = 1'000'000;

std::string ShardName(const Shard& shard) { return std::to_string(shard.number) + "/" + std::to_string(shard.of); }

// "79.40 %", or why there is none.
std::string PercentOr(const std::optional<double>& value, const char* otherwise) {
  return value ? Fixed(*value, 2) + " %" : otherwise;
}

std::unexpected<Error> NoPart(const std::string& file, const std::string& why) {
  return Fail(ErrorCode::kBadInput, file + ": " + why + "; it must be the output of kdequant eval --json");
}

Result<EvalReport> ReadReport(const std::string& file) {
  auto bytes = ReadFile(file);
  if (!bytes) return Forward(bytes);
  rapidjson::Document document;
  // Iterative: nesting a million deep must not use up the stack.
  document.Parse<rapidjson::kParseIterativeFlag>(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (document.HasParseError() || !document.IsObject()) return NoPart(file, "is no JSON object");
  if (document.HasMember("error")) return NoPart(file, "is the result of a run that failed");
  const auto counts = document.FindMember("counts");
  if (counts == document.MemberEnd() || !counts->value.IsObject()) return NoPart(file, "has no \"counts\"");
  EvalReport report;
  for (const auto& [name, member] : NamedCounts()) {
    const auto count = counts->value.FindMember(name);
    if (count == counts->value.MemberEnd() || !count->value.IsInt64()) {
      return NoPart(file, "has no whole number \"" + std::string(name) + "\" in its counts");
    }
    report.counts.*member = count->value.GetInt64();
  }
  if (const auto precision = document.FindMember("precision");
      precision != document.MemberEnd() && precision->value.IsString()) {
    report.precision = precision->value.GetString();
  }
  if (const auto shard = document.FindMember("shard"); shard != document.MemberEnd() && shard->value.IsString()) {
    auto parsed = ParseShard(shard->value.GetString());
    if (!parsed) return NoPart(file, "has the shard \"" + std::string(shard->value.GetString()) + "\"");
    report.shard = *parsed;
  }
  return report;
}

// Parts of one evaluation: 1/N to N/N, each once.
Result<void> CheckComplete(const std::vector<std::pair<std::string, Shard>>& parts) {
  if (parts.empty()) return {};
  const std::size_t of = parts.front().second.of;
  std::vector<std::string> seen(of);
  for (const auto& [file, shard] : parts) {
    if (shard.of != of) {
      return Fail(ErrorCode::kBadInput, file + ": is shard " + ShardName(shard) + ", but " + parts.front().first +
                                            " is one of " + std::to_string(of) + "; merge the parts of one evaluation");
    }
    std::string& other = seen[shard.number - 1];
    if (!other.empty())
      return Fail(ErrorCode::kBadInput, file + ": is shard " + ShardName(shard) + ", and so is " + other);
    other = file;
  }
  for (std::size_t i = 0; i < of; ++i) {
    if (seen[i].empty()) {
      return Fail(ErrorCode::kBadInput, "shard " + ShardName({i + 1, of}) + " is missing; give all parts to --merge");
    }
  }
  return {};
}

}  // namespace

Result<Shard> ParseShard(const std::string& text) {
  Shard shard;
  const char* end = text.data() + text.size();
  const auto [slash, first] = std::from_chars(text.data(), end, shard.number);
  bool fits = first == std::errc{} && slash != end && *slash == '/';
  if (fits) {
    const auto [stop, second] = std::from_chars(slash + 1, end, shard.of);
    fits = second == std::errc{} && stop == end;
  }
  if (!fits || shard.number < 1 || shard.number > shard.of || shard.of > kMaxShards) {
    return Fail(ErrorCode::kUsage, "shard \"" + text + "\" is not I/N with I from 1 to N, such as 1/4");
  }
  return shard;
}

std::string EvalToJson(const EvalReport& report) {
  const EvaluationFigures figures = FiguresOf(report.counts);
  Json json;
  json.Begin().Field("n", figures.n).Field("top1", figures.top1).Field("top5", figures.top5);
  json.Field("agreement", figures.agreement).Field("kl", figures.kl).Key("loss_ci95");
  if (figures.loss_low && figures.loss_high) {
    json.BeginList().Value(*figures.loss_low).Value(*figures.loss_high).EndList();
  } else {
    json.Value(std::optional<double>());
  }
  json.Field("ms_per_image", figures.ms_per_image)
      .Field("loss", figures.loss)
      .Field("reference_top1", figures.reference_top1)
      .Field("precision", report.precision.empty() ? std::nullopt : std::optional<std::string_view>(report.precision));
  if (report.shard) json.Field("shard", ShardName(*report.shard));
  json.Key("skipped").BeginList();
  for (const SkippedPicture& picture : report.skipped) {
    json.Begin().Field("file", picture.name).Field("message", picture.error.message).End();
  }
  json.EndList().Key("counts").Begin();
  for (const auto& [name, member] : NamedCounts()) json.Field(name, report.counts.*member);
  json.End().End();
  return std::string(json.text());
}

std::string EvalToText(const EvalReport& report) {
  const EvaluationFigures figures = FiguresOf(report.counts);
  std::string text = Plural(static_cast<std::uint64_t>(figures.n), "picture");
  if (report.shard) text += " (part " + ShardName(*report.shard) + ")";
  if (!report.precision.empty()) text += ", " + report.precision;
  if (figures.ms_per_image) text += ", " + Fixed(*figures.ms_per_image, 1) + " ms each";
  text += "\n";
  Table table({"", ">", ""});
  const char* unlabelled = "-";
  std::string against;
  if (figures.loss) {
    against = "float " + PercentOr(figures.reference_top1, "") + "; lost " + Fixed(*figures.loss, 2) +
              " points, 95 % interval " + Fixed(*figures.loss_low, 2) + " to " + Fixed(*figures.loss_high, 2);
  }
  table.Add({"  top-1", PercentOr(figures.top1, unlabelled),
             figures.top1 ? against : "give --labels to count right answers"});
  table.Add({"  top-5", PercentOr(figures.top5, unlabelled), ""});
  table.Add({"  agreement", PercentOr(figures.agreement, unlabelled),
             figures.agreement ? "same first answer as the float network"
                               : "give --reference to compare with a float network"});
  if (figures.kl) table.Add({"  KL divergence", Fixed(*figures.kl, 4), "nats, from the float network's probabilities"});
  text += table.text().substr(1);  // without the empty header line
  if (report.counts.skipped > 0) {
    text += "  skipped " + Plural(static_cast<std::uint64_t>(report.counts.skipped), "picture") +
            " that could not be read\n";
  }
  return text;
}

Result<EvalReport> MergeReports(const std::vector<std::string>& files) {
  EvalReport merged;
  std::vector<std::pair<std::string, Shard>> parts;
  for (const std::string& file : files) {
    auto report = ReadReport(file);
    if (!report) return Forward(report);
    if (&file == files.data()) merged.precision = report->precision;
    if (merged.precision != report->precision) merged.precision.clear();
    merged.counts += report->counts;
    if (report->shard) parts.emplace_back(file, *report->shard);
  }
  auto complete = CheckComplete(parts);
  if (!complete) return Forward(complete);
  return merged;
}

}  // namespace kdequant
