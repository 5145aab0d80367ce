// kdequant/compensation/response.h
// What quantizing takes from a channel's answer to the input that it looks for.
#ifndef KDEQUANT_COMPENSATION_RESPONSE_H_
#define KDEQUANT_COMPENSATION_RESPONSE_H_

#include <span>

namespace kdequant {

/// The answers of a channel's weights w, and of the quantized ones q, to the input a that agrees with w most: w itself,
/// with 0 for negative weights where the layer's inputs are never negative.
///
/// Levels at the means of their cells and scales fitted by least squares make the error w - q small and perpendicular
/// to q, so the answer q.a is smaller than w.a by about the share that the error has of w: 2 per cent where the SQNR is
/// 17 dB. Other errors of a layer are as often up as down, and average out in the layers that follow; this one always
/// points the same way and adds up. Drawn pictures show hardly any of what the later layers look for, so compensating
/// does not see it. Ours; measured in docs/method.md.
class Response {
 public:
  /// Adds columns of a channel, `quantized` as it will be stored.
  void Add(std::span<const float> weights, std::span<const float> quantized, bool nonnegative);
  void Add(const Response& other);

  /// What to multiply the quantized weights with, so that they answer as the weights do; within [1/2, 2], and 1 where
  /// either does not answer at all.
  double Gain() const;

 private:
  double wanted_ = 0, given_ = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_RESPONSE_H_
