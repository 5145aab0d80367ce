// kernels/w4a8_winograd.h
// 3x3 convolutions of byte images by tiles of 2x2 (kernels/winograd_plan.h), in integers and without rounding: four
// times the convolution, exactly, as everything is a whole number. Transformed bytes lie within +-512 and transformed
// codes within +-1143: factors of the product of 16-bit pairs. What overflows on the way overflows modulo 2^32, and
// four times the sum does not.
//
// Weights stay packed in 4 bits; a panel is decoded and transformed when it is needed.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_

#include <cstddef>

#include "kernels/w4a8_dense.h"

namespace kdequant::w4a8 {

/// Whether the filter is 3 x 3 with stride 1, and the transforms pay. (Not where four products of bytes are one
/// instruction, Arithmetic::kRelaxedAdd.) `rows`: output channels; `threads`: as many as will compute.
bool WinogradPays(const Windows& windows, std::size_t rows);
std::size_t WinogradScratchBytes(const Windows& windows, std::size_t rows, int threads);

/// As Dense::Run. The source must be readable for one row and 16 bytes beyond its end.
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const ByteOutput& output, std::byte* scratch, const Threads& threads);
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const FloatOutput& output, std::byte* scratch, const Threads& threads);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_
