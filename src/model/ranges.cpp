// `kdequant.ranges`: the intervals of the activations as JSON.
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <limits>

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

bool IsFloat(const rapidjson::Value& value) {
  return value.IsNumber() && std::fabs(value.GetDouble()) <= std::numeric_limits<float>::max();
}

Result<ActivationRange> ParseRange(const std::string& name, const rapidjson::Value& value) {
  const std::string where = "gives \"" + name + "\" ";
  if (!value.IsArray() || value.Size() != 3 || !IsFloat(value[0]) || !IsFloat(value[1]) || !value[2].IsInt()) {
    return Bad(where + "something else than [low, high, bits]");
  }
  const ActivationRange range{static_cast<float>(value[0].GetDouble()), static_cast<float>(value[1].GetDouble()),
                              value[2].GetInt()};
  if (!(range.low <= range.high)) return Bad(where + "a low end above its high end");
  if (range.bits < 1 || range.bits > 8) return Bad(where + std::to_string(range.bits) + " bits instead of 1 to 8");
  return range;
}

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
  rapidjson::Document document;
  // Iterative: brackets nested a million deep must not use up the stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return Bad("is not JSON (" + std::string(rapidjson::GetParseError_En(document.GetParseError())) + " At byte " +
               std::to_string(document.GetErrorOffset()) + ")");
  }
  if (!document.IsObject()) return Bad("is not a JSON object");
  std::map<std::string, ActivationRange> ranges;
  for (const auto& member : document.GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    auto range = ParseRange(name, member.value);
    if (!range) return Forward(range);
    if (!ranges.emplace(name, *range).second) return Bad("names \"" + name + "\" twice");
  }
  return ranges;
}

}  // namespace kdequant
