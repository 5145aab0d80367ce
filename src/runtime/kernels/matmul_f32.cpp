#include "kernels/matmul_f32.h"

#include <algorithm>
#include <utility>

#include "kdequant/base/memory.h"
#include "kernels/simd.h"

namespace kdequant::runtime {

void FullyConnectedReference(std::ptrdiff_t rows, std::ptrdiff_t k, std::ptrdiff_t n, const float* weights,
                             const float* bias, const float* input, float* output) {
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    for (std::ptrdiff_t o = 0; o < n; ++o) {
      float sum = bias ? bias[o] + 0.0F : 0.0F;
      for (std::ptrdiff_t i = 0; i < k; ++i) sum += input[row * k + i] * weights[o * k + i];
      output[row * n + o] = sum;
    }
  }
}

namespace {

constexpr std::ptrdiff_t kPanel = 16;
// Elements of a piece of the weights, or those of one panel where it has more: 16 MB.
constexpr std::ptrdiff_t kMostInPiece = std::ptrdiff_t{1} << 22;

// The weights of one output after the other, as floats.
class WeightRows {
 public:
  WeightRows(const Tensor& weights, std::ptrdiff_t columns)
      : weights_(weights),
        floats_(std::get_if<FloatTensor>(&weights)),
        columns_(static_cast<std::size_t>(columns)),
        row_(floats_ ? 0 : columns_) {}

  // Valid until the next one is asked for.
  const float* Row(std::ptrdiff_t output) {
    const auto o = static_cast<std::size_t>(output);
    if (floats_) return floats_->values.data() + o * columns_;
    DequantizeChannel(weights_, o, row_);
    return row_.data();
  }

 private:
  const Tensor& weights_;
  const FloatTensor* floats_;
  std::size_t columns_;
  std::vector<float> row_;
};

}  // namespace

FullyConnected::FullyConnected(std::ptrdiff_t k, std::ptrdiff_t n, const Tensor& weights, const float* bias,
                               const Epilogue& epilogue)
    : k_(k),
      n_(n),
      panels_a_piece_(std::max<std::ptrdiff_t>(1, kMostInPiece / std::max<std::ptrdiff_t>(1, k * kPanel))),
      epilogue_(epilogue) {
  const std::ptrdiff_t panels = (n + kPanel - 1) / kPanel;
  bias_ = Buffer<float>(static_cast<std::size_t>(panels * kPanel));
  if (bias_.size() == 0) ThrowBadAlloc();
  for (std::ptrdiff_t o = 0; o < panels * kPanel; ++o) bias_.data()[o] = o < n && bias ? bias[o] + 0.0F : 0.0F;
  WeightRows rows(weights, k);
  for (std::ptrdiff_t first = 0; first < panels; first += panels_a_piece_) {
    const std::ptrdiff_t lanes = std::min(panels_a_piece_, panels - first) * kPanel;
    Buffer<float> piece(static_cast<std::size_t>(lanes * k));
    if (piece.size() == 0) ThrowBadAlloc();
    for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) {
      const std::ptrdiff_t o = first * kPanel + lane;
      const float* row = o < n ? rows.Row(o) : nullptr;
      float* target = piece.data() + lane / kPanel * k * kPanel + lane % kPanel;
      for (std::ptrdiff_t i = 0; i < k; ++i) target[i * kPanel] = row ? row[i] : 0.0F;
    }
    weights_.push_back(std::move(piece));
  }
}

std::size_t FullyConnected::WeightBytes() const {
  std::size_t elements = bias_.size();
  for (const Buffer<float>& piece : weights_) elements += piece.size();
  return elements * sizeof(float);
}

void FullyConnected::RunPanel(std::ptrdiff_t panel, const float* input, float* output) const {
  const Buffer<float>& piece = weights_[static_cast<std::size_t>(panel / panels_a_piece_)];
  const float* weights = piece.data() + panel % panels_a_piece_ * k_ * kPanel;
  v128_t sums[4];
  for (int i = 0; i < 4; ++i) sums[i] = wasm_v128_load(bias_.data() + panel * kPanel + 4 * i);
  KDEQUANT_NO_UNROLL
  for (std::ptrdiff_t i = 0; i < k_; ++i, weights += kPanel) {
    const v128_t x = wasm_v128_load32_splat(input + i);
    for (int j = 0; j < 4; ++j) sums[j] = wasm_f32x4_add(sums[j], wasm_f32x4_mul(x, wasm_v128_load(weights + 4 * j)));
  }
  float values[kPanel];
  const v128_t least = wasm_f32x4_splat(epilogue_.low);
  const v128_t most = wasm_f32x4_splat(epilogue_.high);
  for (int i = 0; i < 4; ++i) wasm_v128_store(values + 4 * i, wasm_f32x4_pmin(wasm_f32x4_pmax(sums[i], least), most));
  std::copy_n(values, std::min(kPanel, n_ - panel * kPanel), output + panel * kPanel);
}

void FullyConnected::Run(std::ptrdiff_t rows, const float* input, float* output, const Threads& threads) const {
  threads.Cut((n_ + kPanel - 1) / kPanel, 1, [&](Stretch panels, int) {
    for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) {
      for (std::ptrdiff_t row = 0; row < rows; ++row) RunPanel(panel, input + row * k_, output + row * n_);
    }
  });
}

MatMulGeneral::MatMulGeneral(const Shape& a, const Shape& b, bool trans_b, const Shape& output, const Shape* addend) {
  // As numpy does: a vector gets a dimension of length 1 that the result drops again.
  Shape wide_a = a;
  Shape wide_b = b;
  Shape full = output;
  if (a.size() == 1) {
    wide_a.insert(wide_a.begin(), 1);
    full.insert(full.end() - (b.size() == 1 ? 0 : 1), 1);
  }
  if (b.size() == 1) {
    wide_b.push_back(1);
    full.push_back(1);
  }
  k_ = static_cast<std::ptrdiff_t>(wide_a.back());
  a_step_ = 1;
  b_step_ = trans_b ? 1 : static_cast<std::ptrdiff_t>(wide_b.back());

  const std::size_t rank = full.size();
  const auto operand = [&](const Shape& shape, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride) {
    Shape batch(shape.begin(), shape.end() - 2);
    const auto count = static_cast<std::ptrdiff_t>(shape[shape.size() - 1] * shape[shape.size() - 2]);
    auto strides = BroadcastStrides(batch, Shape(full.begin(), full.end() - 2));
    for (auto& stride : strides) stride *= count;
    strides.push_back(row_stride);
    strides.push_back(column_stride);
    return strides;
  };
  loop_ = StridedLoop<4>(
      full, {operand(wide_a, k_, 0), operand(wide_b, 0, trans_b ? k_ : 1),
             addend ? BroadcastStrides(*addend, full) : std::vector<std::ptrdiff_t>(rank, 0), RowMajorStrides(full)});
}

void MatMulGeneral::Run(const float* a, const float* b, const float* addend, float* output) const {
  loop_.ForEachRun([&](const auto& offsets, std::ptrdiff_t count, const auto& steps) {
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const float* x = a + offsets[0] + i * steps[0];
      const float* y = b + offsets[1] + i * steps[1];
      float sum = addend ? addend[offsets[2] + i * steps[2]] : 0.0F;
      for (std::ptrdiff_t j = 0; j < k_; ++j) sum += x[j * a_step_] * y[j * b_step_];
      output[offsets[3] + i * steps[3]] = sum;
    }
  });
}

}  // namespace kdequant::runtime
