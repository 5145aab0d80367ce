#include "eval_report.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace kdequant {
namespace {

class Reports {
 public:
  Reports() {
    std::string name = (std::filesystem::temp_directory_path() / "kdequant-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Reports() { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& content) {
    const auto path = folder_ / (std::to_string(count_++) + ".json");
    std::ofstream(path) << content;
    return path.string();
  }
  std::string Part(std::size_t number, std::size_t of) {
    EvalReport report{.counts = {}, .precision = "w4a8", .shard = Shard{number, of}, .skipped = {}};
    report.counts.n = report.counts.labelled = static_cast<std::int64_t>(10 * number);
    report.counts.top1 = static_cast<std::int64_t>(number);
    return Write(EvalToJson(report));
  }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

TEST_CASE("The parts of an evaluation add up, in any order") {
  Reports reports;
  const auto merged = MergeReports({reports.Part(3, 3), reports.Part(1, 3), reports.Part(2, 3)});
  REQUIRE_MESSAGE(merged.has_value(), merged.error().message);
  CHECK(merged->counts.n == 60);
  CHECK(merged->counts.top1 == 6);
  CHECK(merged->precision == "w4a8");
  CHECK(EvalToJson(*merged).find("\"top1\":10.0") != std::string::npos);
}

TEST_CASE("A part that is missing, given twice, of another evaluation or broken is refused") {
  Reports reports;
  const auto message = [](const Result<EvalReport>& merged) {
    REQUIRE(!merged.has_value());
    CHECK(merged.error().code == ErrorCode::kBadInput);
    return merged.error().message;
  };
  CHECK(message(MergeReports({reports.Part(1, 3), reports.Part(3, 3)})).find("shard 2/3 is missing") !=
        std::string::npos);
  CHECK(message(MergeReports({reports.Part(1, 2), reports.Part(1, 2)})).find("and so is") != std::string::npos);
  CHECK(message(MergeReports({reports.Part(1, 2), reports.Part(2, 3)})).find("2/3") != std::string::npos);
  for (const char* broken : {"", "[]", "{", "{\"n\": 3}", "{\"counts\": {}}", "{\"counts\": {\"n\": 1.5}}",
                             "{\"error\": {\"code\": \"limit\"}}"}) {
    CHECK(message(MergeReports({reports.Write(broken)})).find("kdequant eval --json") != std::string::npos);
  }
  CHECK(message(MergeReports({reports.Write(std::string(2'000'000, '['))})).find("is no JSON") != std::string::npos);
}

TEST_CASE("A shard is I/N, counted from 1") {
  CHECK(ParseShard("2/4")->number == 2);
  CHECK(ParseShard("1/1")->of == 1);
  for (const char* wrong : {"", "1", "0/4", "5/4", "1/0", "/4", "1/", "-1/4", "1/4x", "a/b", "1/99999999999"}) {
    CAPTURE(wrong);
    CHECK(ParseShard(wrong).error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("Figures that were not measured are null, and their text says which option measures them") {
  EvalReport report;
  report.counts.n = 2;
  CHECK(
      EvalToJson(report).starts_with(R"({"n":2,"top1":null,"top5":null,"agreement":null,"kl":null,"loss_ci95":null,)"));
  CHECK(EvalToText(report).find("--labels") != std::string::npos);
  CHECK(EvalToText(report).find("--reference") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
