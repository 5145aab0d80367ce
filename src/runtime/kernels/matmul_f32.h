// kernels/matmul_f32.h
// Matrix products: fully connected layers with packed weights, and products of two computed matrices.
#ifndef KDEQUANT_RUNTIME_KERNELS_MATMUL_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_MATMUL_F32_H_

#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/parallel.h"
#include "kdequant/model/tensor.h"
#include "kernels/activation_f32.h"
#include "kernels/strided.h"

namespace kdequant::runtime {

/// Row-major y [rows, N] = x [rows, K] * weights [N, K] transposed + bias [N] (or null). Each sum starts from the bias
/// and adds k = 0, 1, ... in turn, in both implementations.
void FullyConnectedReference(std::ptrdiff_t rows, std::ptrdiff_t k, std::ptrdiff_t n, const float* weights,
                             const float* bias, const float* input, float* output);

/// The same with the weights in panels of 16 outputs, read once from front to back: with one row the product is bound
/// by memory. Whatever `weights` are, they become floats a row at a time, and the panels lie in pieces of about 16 MB:
/// the largest layers have hundreds of MB, for which a memory that was used before has seldom room in one piece.
class FullyConnected {
 public:
  /// `weights`: [n, k, ...]; no integers.
  FullyConnected(std::ptrdiff_t k, std::ptrdiff_t n, const Tensor& weights, const float* bias,
                 const Epilogue& epilogue);
  std::size_t WeightBytes() const;
  /// The activation's interval is applied; its rest is not.
  void Run(std::ptrdiff_t rows, const float* input, float* output, const Threads& threads) const;

 private:
  void RunPanel(std::ptrdiff_t panel, const float* input, float* output) const;

  std::ptrdiff_t k_ = 0;
  std::ptrdiff_t n_ = 0;
  std::ptrdiff_t panels_a_piece_ = 1;
  Epilogue epilogue_;
  std::vector<Buffer<float>> weights_;  // [N / 16][K][16], cut between panels
  Buffer<float> bias_;                  // [N / 16][16]
};

/// numpy.matmul of two tensors of rank 1 and up (batch dimensions broadcast), b's last two dimensions swapped if
/// `trans_b`; plus `addend` (broadcast over the result; null: nothing), from which the sums start.
class MatMulGeneral {
 public:
  MatMulGeneral(const Shape& a, const Shape& b, bool trans_b, const Shape& output, const Shape* addend);
  void Run(const float* a, const float* b, const float* addend, float* output) const;

 private:
  std::ptrdiff_t k_ = 1;
  std::ptrdiff_t a_step_ = 0;
  std::ptrdiff_t b_step_ = 0;
  StridedLoop<4> loop_;  // a, b, addend, output
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_MATMUL_F32_H_
