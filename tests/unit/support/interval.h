// A two-sided expectation: a figure that is suspiciously good is as wrong as one that is too bad.
#ifndef KDEQUANT_TESTS_SUPPORT_INTERVAL_H_
#define KDEQUANT_TESTS_SUPPORT_INTERVAL_H_

#include <ostream>

namespace kdequant {

/// `CHECK(mse == Interval(0.00945, 0.00960));` prints both sides when it fails.
struct Interval {
  double low;
  double high;

  Interval(double l, double h) : low(l), high(h) {}
  friend bool operator==(double value, const Interval& interval) {
    return value >= interval.low && value <= interval.high;
  }
  friend std::ostream& operator<<(std::ostream& out, const Interval& interval) {
    return out << "[" << interval.low << ", " << interval.high << "]";
  }
};

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_SUPPORT_INTERVAL_H_
