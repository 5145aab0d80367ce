#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

#include "kdequant/quantize/overrides.h"
#include "kdequant/quantize/quantize.h"
#include "settings.h"

namespace kdequant {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void Text(Writer& writer, const char* key, std::string_view value) {
  writer.Key(key);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void Count(Writer& writer, const char* key, std::size_t value) {
  writer.Key(key);
  writer.Uint64(value);
}

// JSON has no infinity: null says "exact" for an SQNR, "none" for anything else.
void Number(Writer& writer, const char* key, double value) {
  writer.Key(key);
  if (std::isfinite(value)) {
    writer.Double(value);
  } else {
    writer.Null();
  }
}

std::string CalibrationName(const QuantizeOptions& options) {
  switch (options.calibration) {
    case Calibration::kNone: return "none";
    case Calibration::kSynthetic: return "synthetic:" + std::to_string(options.picture_count);
    // The pictures themselves may be with the job; it has limited their number to those that there are.
    case Calibration::kPictures: return "pictures:" + std::to_string(options.picture_count);
  }
  return {};
}

std::vector<std::string> OverrideTexts(const QuantizeOptions& options) {
  std::vector<std::string> texts;
  for (const LayerOverride& override : options.overrides) texts.push_back(FormatLayerOverride(override));
  return texts;
}

void WriteLayer(Writer& writer, const LayerReport& layer) {
  writer.StartObject();
  Text(writer, "name", layer.name);
  Text(writer, "op", layer.op);
  writer.Key("shape");
  writer.StartArray();
  for (const auto dimension : layer.shape) writer.Int64(dimension);
  writer.EndArray();
  Count(writer, "weights", layer.weights);
  Count(writer, "scanned", layer.scanned);
  Count(writer, "samples", layer.samples);
  Number(writer, "bandwidth", layer.bandwidth);
  writer.Key("bits");
  writer.Int(layer.bits);
  writer.Key("levels");
  writer.StartArray();
  for (const float level : layer.levels) writer.Double(static_cast<double>(level));
  writer.EndArray();
  Count(writer, "codebooks", layer.codebooks);
  Number(writer, "sqnr_db", layer.sqnr_db);
  Count(writer, "bytes", layer.bytes);
  Text(writer, "compensation", layer.compensation);
  Number(writer, "ms", layer.milliseconds);
  writer.EndObject();
}

}  // namespace

std::string ReportToJson(const QuantizeReport& report, std::size_t bytes_in, std::size_t bytes_out, double seconds) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Count(writer, "bytes_in", bytes_in);
  Count(writer, "bytes_out", bytes_out);
  Number(writer, "seconds", seconds);
  Count(writer, "weights", report.weights);
  Count(writer, "weights_scanned", report.weights_scanned);
  Count(writer, "weights_sampled", report.weights_sampled);
  Count(writer, "pictures", report.pictures);
  Number(writer, "design_ms", report.design_milliseconds);
  Number(writer, "calibration_ms", report.calibration_milliseconds);
  Number(writer, "compensation_ms", report.compensation_milliseconds);
  writer.Key("layers");
  writer.StartArray();
  for (const auto& layer : report.layers) WriteLayer(writer, layer);
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string SettingsToJson(const QuantizeOptions& options) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Text(writer, "method", MethodName(options.design.method));
  Text(writer, "granularity", GranularityName(options.granularity));
  if (options.granularity == Granularity::kChannelScale) {
    writer.Key("codebooks");
    writer.Int(options.codebooks);
  }
  Text(writer, "sampling", SamplingName(options.design.sampling.sampling));
  Count(writer, "samples", options.design.sampling.count);
  Text(writer, "bandwidth", BandwidthRuleName(options.design.density.rule));
  Number(writer, "bandwidth_factor", options.design.density.factor);
  writer.Key("levels");
  writer.Int(options.design.levels);
  Text(writer, "calibration", CalibrationName(options));
  Text(writer, "compensation", options.compensation ? "on" : "off");
  Number(writer, "widen", options.widen.value_or(0));
  if (options.compensation) {
    writer.Key("fits");
    writer.Int(options.fits);
    writer.Key("sweeps");
    writer.Int(options.sweeps);
  }
  Text(writer, "activations", ActivationModeName(options.activations));
  writer.Key("bias_correction");
  writer.Bool(options.bias_correction);
  for (const auto& [key, texts] :
       {std::pair{"exclude", options.exclude}, std::pair{"overrides", OverrideTexts(options)}}) {
    if (texts.empty()) continue;
    writer.Key(key);
    writer.StartArray();
    for (const std::string& text : texts) writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    writer.EndArray();
  }
  writer.Key("seed");
  writer.Uint64(options.seed);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace kdequant
