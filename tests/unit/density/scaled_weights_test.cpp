#include "kdequant/density/scaled_weights.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/moments.h"
#include "kdequant/density/sample.h"

namespace kdequant {
namespace {

// Rows and what they are divided by, with the divided copy that nobody should need.
struct Rows {
  std::vector<float> values, scales, divided;

  Rows(std::size_t count, std::size_t columns, std::uint64_t seed) {
    Random random(seed);
    for (std::size_t row = 0; row < count; ++row) {
      scales.push_back(row % 3 == 1 ? 0.0F : static_cast<float>(0.01 + random.Uniform()));
      for (std::size_t k = 0; k < columns; ++k) {
        values.push_back(static_cast<float>(random.Normal()));
        divided.push_back(scales[row] > 0 ? values.back() / scales[row] : values.back());
      }
    }
  }
};

TEST_CASE("Rows divided where they are read are those of a divided copy, whatever their length") {
  for (const std::size_t columns : {1U, 7U, 1023U, 1024U, 1025U, 5000U}) {
    CAPTURE(columns);
    const Rows rows(5, columns, columns);
    const ScaledWeights weights(rows.values, rows.scales);
    REQUIRE(weights.size() == rows.divided.size());
    std::vector<float> read;
    RunReader reader(weights);
    for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
      CHECK(reader.first() == read.size());
      read.insert(read.end(), run.begin(), run.end());
    }
    CHECK(read == rows.divided);
    for (std::size_t i = 0; i < weights.size(); ++i) REQUIRE(weights[i] == rows.divided[i]);
    // From anywhere on, also from the middle of a row.
    ScaledWeights::Room room;
    const std::span<const float> rest = weights.Run(2 * columns + columns / 2, room);
    CHECK(rest.front() == rows.divided[2 * columns + columns / 2]);
  }
}

TEST_CASE("Weights as they are come in one run, where they lie") {
  const Rows rows(2, 3000, 1);
  const ScaledWeights weights(rows.values);
  ScaledWeights::Room room;
  CHECK(weights.Run(10, room).data() == rows.values.data() + 10);
  CHECK(weights.Run(10, room).size() == 5990);
  CHECK(ScaledWeights().empty());
}

TEST_CASE("Samples, histograms and moments of divided rows are those of a divided copy") {
  const Rows rows(40, 1500, 2);
  const ScaledWeights weights(rows.values, rows.scales);
  for (const auto sampling : {Sampling::kStratified, Sampling::kRandom, Sampling::kStratifiedBlind}) {
    for (const std::size_t count : {0U, 100U, 1024U}) {
      const Sample sample = DrawSample(weights, {.sampling = sampling, .count = count}).value();
      const Sample expected = DrawSample(rows.divided, {.sampling = sampling, .count = count}).value();
      CHECK(sample.values == expected.values);
      CHECK(sample.weights == expected.weights);
      CHECK(sample.min == expected.min);
      CHECK(sample.max == expected.max);
    }
  }
  const auto histogram = BuildMomentHistogram(weights, 300).value();
  const auto expected = BuildMomentHistogram(rows.divided, 300).value();
  for (std::size_t i = 0; i < 300; ++i) {
    CHECK(histogram.bins[i].count == expected.bins[i].count);
    CHECK(histogram.bins[i].sum_squares == expected.bins[i].sum_squares);
  }
  CHECK(CumulativeMoments(weights).Total().second == CumulativeMoments(rows.divided).Total().second);
}

TEST_CASE("A weight that its scale makes infinite is named by its place in the layer") {
  Rows rows(4, 2000, 3);
  rows.scales[2] = std::numeric_limits<float>::denorm_min();
  const auto sample = DrawSample(ScaledWeights(rows.values, rows.scales));
  REQUIRE(!sample);
  CHECK(sample.error().code == ErrorCode::kNotFinite);
  CHECK(sample.error().message.starts_with("weight 4000 is infinite"));
}

TEST_CASE("Rows that are named are read as if there were no others") {
  const Rows rows(6, 1500, 3);
  const std::vector<std::uint32_t> named{4, 1, 5};
  const ScaledWeights weights(rows.values, rows.scales, named);
  REQUIRE(weights.size() == 4500);
  std::vector<float> read;
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    CHECK(reader.first() == read.size());
    read.insert(read.end(), run.begin(), run.end());
  }
  REQUIRE(read.size() == 4500);
  for (std::size_t i = 0; i < 4500; ++i) {
    CHECK(read[i] == rows.divided[named[i / 1500] * 1500 + i % 1500]);
    CHECK(weights[i] == read[i]);
  }
}

}  // namespace
}  // namespace kdequant
