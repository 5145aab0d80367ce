#include "kdequant/compensation/extra_rows.h"

#include <doctest/doctest.h>

#include <vector>

namespace kdequant {
namespace {

TEST_CASE("A picture's mean row adds its share of what the mean would add at every position") {
  // Three positions of two columns, means 2 and -1.
  std::vector<float> rows{1, 0, 2, -1, 3, -2};
  AppendMeanRow(2, 1.0 / 3, rows);
  REQUIRE(rows.size() == 8);
  // sqrt(1/3 * 3) = 1 times the mean.
  CHECK(rows[6] == 2);
  CHECK(rows[7] == -1);

  std::vector<float> more{1, 0, 2, -1, 3, -2};
  AppendMeanRow(2, 4.0 / 3, more);
  CHECK(more[6] == 4);
  CHECK(more[7] == -2);
}

TEST_CASE("A single row is its own mean, and no row has none") {
  std::vector<float> one{1, 2, 3};
  AppendMeanRow(3, 1, one);
  CHECK(one == std::vector<float>{1, 2, 3});
  std::vector<float> none;
  AppendMeanRow(3, 1, none);
  CHECK(none.empty());
}

TEST_CASE("Answers are the weights of a run of columns, without what the inputs cannot be, with the energy asked for") {
  const std::vector<float> weights{9, 3, -1, 9, 9, -2, 4, 9};  // [2, 4]
  // Squares of the run: 9 + 1 + 4 + 16 = 30.
  CHECK(AnswerRows(weights, 4, {1, 3}, false, 30 * 4.0) == std::vector<float>{6, -2, -4, 8});
  // Those of the positive ones: 25.
  CHECK(AnswerRows(weights, 4, {1, 3}, true, 25 * 4.0) == std::vector<float>{6, 0, 0, 8});
}

TEST_CASE("Weights of zero give rows of zeros, as no energy does") {
  CHECK(AnswerRows(std::vector<float>(4), 2, {0, 2}, true, 5) == std::vector<float>(4));
  CHECK(AnswerRows(std::vector<float>{-1, -2, -3, -4}, 2, {0, 2}, true, 5) == std::vector<float>(4));
  CHECK(AnswerRows(std::vector<float>{1, 2, 3, 4}, 2, {0, 2}, true, 0) == std::vector<float>(4));
}

}  // namespace
}  // namespace kdequant
