#include "kdequant/quantize/overrides.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "small_network.h"

namespace kdequant {
namespace {

TEST_CASE("An override is read and written as text") {
  const auto override =
      ParseLayerOverride("block1.*=bits:8,method:k-means,granularity:channel,samples:all,compensation:off");
  REQUIRE(override);
  CHECK(override->layers == "block1.*");
  CHECK(override->bits == 8);
  CHECK(override->method == Method::kKMeans);
  CHECK(override->granularity == Granularity::kChannel);
  CHECK(override->samples == std::size_t{0});
  CHECK(override->compensation == false);
  CHECK(FormatLayerOverride(*override) ==
        "block1.*=bits:8,method:k-means,granularity:channel,samples:all,compensation:off");
  // A name may hold an equals sign; an option's value does not.
  CHECK(ParseLayerOverride("a=b=bits:3")->layers == "a=b");
}

TEST_CASE("A wrong override says what is wrong with it") {
  const auto message = [](const char* text) { return ParseLayerOverride(text).error().message; };
  for (const char* text : {"", "bits:8", "=bits:8", "layer="})
    CHECK(message(text).find("GLOB=option:value") != std::string::npos);
  CHECK(message("x=bits").find("\"bits\" is not option:value") != std::string::npos);
  for (const char* text : {"x=bits:1", "x=bits:9", "x=bits:4.5", "x=bits:"})
    CHECK(message(text).find("from 2 to 8") != std::string::npos);
  CHECK(message("x=method:best").find("kde-lm") != std::string::npos);
  CHECK(message("x=colour:red").find("there are bits, method") != std::string::npos);
}

TEST_CASE("Of several overrides that match a layer the last one wins, option by option") {
  QuantizeOptions options;
  options.overrides = {*ParseLayerOverride("*=bits:8,samples:10"), *ParseLayerOverride("fc=bits:2"),
                       *ParseLayerOverride("stem=compensation:off")};
  const QuantizeOptions fc = OptionsForLayer(options, "fc");
  CHECK(fc.design.levels == 4);
  CHECK(fc.design.sampling.count == 10);
  CHECK(fc.compensation);
  CHECK(OptionsForLayer(options, "other").design.levels == 256);
  CHECK(!OptionsForLayer(options, "stem").compensation);
}

TEST_CASE("Overridden layers are quantized as they say, the others as ever") {
  QuantizeOptions options;
  options.picture_count = 4;
  options.fits = 0;  // a fit gives up some of the weights' SQNR, which tells the widths apart here, for the outputs'
  options.preprocess = ParsePreprocess("scale=1/255,resize=0,size=12").value();
  options.overrides = {*ParseLayerOverride("project=bits:8"), *ParseLayerOverride("fc=compensation:off")};
  auto job = QuantizeJob::Create(std::make_shared<const Graph>(SmallNetwork()), options).value();
  REQUIRE(Finish(*job));
  const auto& layers = job->report().layers;
  CHECK(layers[0].bits == 4);
  CHECK(layers[2].bits == 8);
  CHECK(layers[2].sqnr_db > 30);
  CHECK(layers[2].compensation == "full");
  CHECK(layers[4].compensation == "off");
}

TEST_CASE("A pattern that matches no layer is refused: it is a slip of the pen") {
  const auto graph = std::make_shared<const Graph>(SmallNetwork());
  QuantizeOptions options;
  options.overrides = {*ParseLayerOverride("stme=bits:8")};
  CHECK(QuantizeJob::Create(graph, options).error().message == "there is no layer \"stme\" to override");
  options.overrides = {};
  options.exclude = {"head*"};
  CHECK(QuantizeJob::Create(graph, options).error().message == "there is no layer \"head*\" to exclude");
}

TEST_CASE("A budget goes to the layers that lose most noise for a byte, and is kept") {
  QuantizeReport report;
  const auto add = [&](const char* name, std::size_t weights, int bits, double sqnr_db) {
    LayerReport layer;
    layer.name = name;
    layer.weights = weights;
    layer.bits = bits;
    layer.sqnr_db = sqnr_db;
    report.layers.push_back(layer);
  };
  add("wide", 100000, 4, 20);
  add("narrow", 1000, 4, 20);
  add("depthwise", 100, 8, 40);
  add("bad", 20000, 4, 5);
  add("exact", 500, 4, INFINITY);
  const auto names = [&](std::size_t target) {
    std::string text;
    for (const LayerOverride& override : WidenLayers(report, 60000, target).value()) {
      CHECK(override.bits == 8);
      text += override.layers + " ";
    }
    return text;
  };
  CHECK(names(60000).empty());
  CHECK(names(62000) == "narrow ");
  CHECK(names(75000) == "bad narrow ");
  CHECK(names(200000) == "bad narrow wide ");
  CHECK(WidenLayers(report, 60000, 59999).error().message.find("the target is 59999") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
