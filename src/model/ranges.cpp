// `kdequant.ranges`: the intervals of the activations as JSON.
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <cmath>
#include <utility>

#include "kdequant/base/decimal.h"
#include "kdequant/model/graph.h"

namespace kdequant {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void WriteFloat(Writer& writer, float number) {
  if (!std::isfinite(number)) {
    writer.Null();
    return;
  }
  const std::string text = FormatFloat(number);
  writer.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

std::unexpected<Error> Bad(const std::string& what) {
  return Fail(ErrorCode::kBadInput, "kdequant.ranges of the model's metadata " + what + "; quantize the model again");
}

// Takes an object of arrays [low, high, bits] as it is read. Numbers come as their text: a library's own way to read
// them takes more room than the rest of reading ranges.
class RangesHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, RangesHandler> {
 public:
  using Size = rapidjson::SizeType;

  // What comes where it does not belong.
  bool Default() { return Refuse(); }
  bool StartObject() { return Open(0); }
  bool Key(const char* text, Size length, bool /*copy*/) {
    name_.assign(text, length);
    count_ = 0;
    return true;
  }
  bool StartArray() { return Open(1); }
  bool RawNumber(const char* text, Size length, bool /*copy*/) {
    const auto number = ParseFloat({text, length});
    if (depth_ != 2 || count_ == numbers_.size() || !number) return Refuse();
    numbers_[count_++] = *number;
    return true;
  }
  bool EndArray(Size /*count*/) {
    --depth_;
    const auto [low, high, bits] = numbers_;
    if (count_ != numbers_.size() || bits != std::nearbyint(bits)) return Refuse();
    if (!(low <= high)) return Refuse("a low end above its high end");
    if (bits < 1 || bits > 8) return Refuse(FormatFloat(bits) + " bits instead of 1 to 8");
    const ActivationRange range{.low = low, .high = high, .bits = static_cast<int>(bits)};
    if (ranges_.emplace(name_, range).second) return true;
    fault_ = "names \"" + name_ + "\" twice";
    return false;
  }
  bool EndObject(Size /*count*/) { return true; }

  const std::string& fault() const { return fault_; }
  std::map<std::string, ActivationRange> Take() { return std::move(ranges_); }

 private:
  bool Open(int depth) {
    if (depth_ != depth) return Refuse();
    ++depth_;
    return true;
  }
  bool Refuse(const std::string& what = "something else than [low, high, bits]") {
    fault_ = depth_ == 0 ? "is not a JSON object" : "gives \"" + name_ + "\" " + what;
    return false;
  }

  std::map<std::string, ActivationRange> ranges_;
  std::string name_;
  std::array<float, 3> numbers_ = {};
  std::size_t count_ = 0;  // Of the array's numbers so far.
  int depth_ = 0;
  std::string fault_;
};

}  // namespace

std::string FormatRanges(const std::map<std::string, ActivationRange>& ranges) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  for (const auto& [name, range] : ranges) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.StartArray();
    WriteFloat(writer, range.low);
    WriteFloat(writer, range.high);
    writer.Int(range.bits);
    writer.EndArray();
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<std::map<std::string, ActivationRange>> ParseRanges(const std::string& json) {
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(json.data(), json.size());
  RangesHandler handler;
  // Iterative: brackets nested a million deep must not use up the stack.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const auto parsed = reader.Parse<kFlags>(stream, handler);
  if (!handler.fault().empty()) return Bad(handler.fault());
  if (parsed.IsError()) {
    return Bad("is not JSON (" + std::string(rapidjson::GetParseError_En(parsed.Code())) + " At byte " +
               std::to_string(parsed.Offset()) + ")");
  }
  return handler.Take();
}

}  // namespace kdequant
