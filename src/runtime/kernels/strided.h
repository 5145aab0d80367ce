// kernels/strided.h
// Loops over row-major tensors of any rank, each operand with strides of its own: broadcasting (stride 0), transposing,
// slicing.
#ifndef KDEQUANT_RUNTIME_KERNELS_STRIDED_H_
#define KDEQUANT_RUNTIME_KERNELS_STRIDED_H_

#include <array>
#include <cstddef>
#include <vector>

#include "kdequant/model/tensor.h"

namespace kdequant::runtime {

/// Of tensors that the general kernels take; CheckRunnable refuses more.
inline constexpr std::size_t kMostDimensions = 8;

/// The strides of a row-major tensor, in elements.
inline std::vector<std::ptrdiff_t> RowMajorStrides(const Shape& shape) {
  std::vector<std::ptrdiff_t> strides(shape.size());
  std::ptrdiff_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<std::ptrdiff_t>(shape[i]);
  }
  return strides;
}

/// Strides that walk a tensor of shape `from` as if it had been broadcast to `to` (numpy's rules: aligned at the right,
/// length 1 repeats).
inline std::vector<std::ptrdiff_t> BroadcastStrides(const Shape& from, const Shape& to) {
  const auto own = RowMajorStrides(from);
  std::vector<std::ptrdiff_t> strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) strides[i + to.size() - from.size()] = own[i];
  }
  return strides;
}

/// A nest of loops over up to eight dimensions with the offsets of `Operands` tensors carried along.
template <std::size_t Operands>
class StridedLoop {
 public:
  StridedLoop() = default;
  /// Dimensions of length 1 are dropped, and neighbours that every operand walks as one are merged.
  StridedLoop(const Shape& extents, const std::array<std::vector<std::ptrdiff_t>, Operands>& strides) {
    for (std::size_t i = 0; i < extents.size(); ++i) {
      const auto extent = static_cast<std::ptrdiff_t>(extents[i]);
      if (extent == 1) continue;
      bool merges = rank_ > 0;
      for (std::size_t o = 0; merges && o < Operands; ++o) merges = strides_[o][rank_ - 1] == strides[o][i] * extent;
      if (!merges) ++rank_;
      extents_[rank_ - 1] = merges ? extents_[rank_ - 1] * extent : extent;
      for (std::size_t o = 0; o < Operands; ++o) strides_[o][rank_ - 1] = strides[o][i];
    }
  }

  /// Calls `body(offsets, count, steps)` for every innermost run: element i of operand o is at offsets[o] + i *
  /// steps[o]. Runs come in row-major order.
  template <typename Body>
  void ForEachRun(Body body) const {
    std::array<std::ptrdiff_t, Operands> offsets{};
    std::array<std::ptrdiff_t, Operands> steps{};
    if (rank_ == 0) return body(offsets, std::ptrdiff_t{1}, steps);
    const std::size_t inner = rank_ - 1;
    for (std::size_t o = 0; o < Operands; ++o) steps[o] = strides_[o][inner];
    std::array<std::ptrdiff_t, kMostDimensions> index{};
    while (true) {
      body(offsets, extents_[inner], steps);
      std::size_t d = inner;
      while (d > 0) {
        --d;
        for (std::size_t o = 0; o < Operands; ++o) offsets[o] += strides_[o][d];
        if (++index[d] < extents_[d]) break;
        for (std::size_t o = 0; o < Operands; ++o) offsets[o] -= strides_[o][d] * extents_[d];
        index[d] = 0;
        if (d == 0) return;
      }
      if (inner == 0) return;
    }
  }

 private:
  std::size_t rank_ = 0;
  std::array<std::ptrdiff_t, kMostDimensions> extents_{};
  std::array<std::array<std::ptrdiff_t, kMostDimensions>, Operands> strides_{};
};

/// target <- source, walked as the loop says: operand 0 is the source, operand 1 the target.
inline void CopyStrided(const StridedLoop<2>& loop, const float* source, float* target) {
  loop.ForEachRun([&](const auto& offsets, std::ptrdiff_t count, const auto& steps) {
    const float* from = source + offsets[0];
    float* to = target + offsets[1];
    for (std::ptrdiff_t i = 0; i < count; ++i) to[i * steps[1]] = from[i * steps[0]];
  });
}

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_STRIDED_H_
