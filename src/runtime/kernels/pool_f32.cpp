#include "kernels/pool_f32.h"

#include <algorithm>
#include <limits>

#include "kernels/simd.h"

namespace kdequant::runtime {

PoolGeometry MakePoolGeometry(const Pool& pool, const Shape& input, const Shape& output) {
  PoolGeometry geometry{.input = ImageOf(input),
                        .output = ImageOf(output),
                        .batch = static_cast<std::ptrdiff_t>(input[0]),
                        .kind = pool.kind,
                        .count_include_pad = pool.count_include_pad};
  for (std::size_t i = 0; i < 2; ++i) {
    geometry.kernel[i] = static_cast<std::ptrdiff_t>(pool.window.kernel[i]);
    geometry.strides[i] = static_cast<std::ptrdiff_t>(pool.window.strides[i]);
    geometry.dilations[i] = static_cast<std::ptrdiff_t>(pool.window.dilations[i]);
  }
  for (std::size_t i = 0; i < 4; ++i) geometry.pads[i] = static_cast<std::ptrdiff_t>(pool.window.pads[i]);
  return geometry;
}

namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

// Where a window meets the image along one axis.
struct Span {
  std::ptrdiff_t begin = 0;  // The first position inside the image.
  std::ptrdiff_t end = 0;    // Behind the last.
  std::ptrdiff_t step = 1;
  std::ptrdiff_t counted = 0;  // Taps for the divisor.
};

Span MakeSpan(const PoolGeometry& g, std::size_t axis, std::ptrdiff_t output) {
  const std::ptrdiff_t size = axis == 0 ? g.input.height : g.input.width;
  const std::ptrdiff_t start = output * g.strides[axis] - g.pads[axis];
  Span span{.begin = start,
            .end = std::min(size, start + (g.kernel[axis] - 1) * g.dilations[axis] + 1),
            .step = g.dilations[axis]};
  while (span.begin < 0) span.begin += span.step;
  const std::ptrdiff_t inside = span.end > span.begin ? (span.end - span.begin + span.step - 1) / span.step : 0;
  const std::ptrdiff_t padded_end =
      std::min(size + g.pads[axis + 2], start + (g.kernel[axis] - 1) * g.dilations[axis] + 1);
  span.counted = g.count_include_pad ? (padded_end - start + span.step - 1) / span.step : inside;
  return span;
}

float Divisor(const Span& rows, const Span& columns) {
  return static_cast<float>(std::max<std::ptrdiff_t>(1, rows.counted * columns.counted));
}

float PoolAt(const PoolGeometry& g, const Span& rows, const Span& columns, const float* plane) {
  float result = g.kind == Pool::Kind::kMax ? kLowest : 0;
  for (std::ptrdiff_t y = rows.begin; y < rows.end; y += rows.step) {
    for (std::ptrdiff_t x = columns.begin; x < columns.end; x += columns.step) {
      const float value = plane[y * g.input.width + x];
      if (g.kind == Pool::Kind::kMax) {
        result = std::max(result, value);
      } else {
        result += value;
      }
    }
  }
  return g.kind == Pool::Kind::kMax ? result : result / Divisor(rows, columns);
}

template <Pool::Kind Kind>
v128_t Join(v128_t a, v128_t b) {
  // pmax(a, b) is a < b ? b : a: std::max.
  return Kind == Pool::Kind::kMax ? wasm_f32x4_pmax(a, b) : wasm_f32x4_add(a, b);
}

template <Pool::Kind Kind>
void PoolBlock(const PoolGeometry& g, const Epilogue& epilogue, const float* input, float* output) {
  const v128_t start = wasm_f32x4_splat(Kind == Pool::Kind::kMax ? kLowest : 0);
  const v128_t least = wasm_f32x4_splat(epilogue.low);
  const v128_t most = wasm_f32x4_splat(epilogue.high);
  for (std::ptrdiff_t oy = 0; oy < g.output.height; ++oy) {
    const Span rows = MakeSpan(g, 0, oy);
    for (std::ptrdiff_t ox = 0; ox < g.output.width; ++ox, output += 4) {
      const Span columns = MakeSpan(g, 1, ox);
      v128_t result = start;
      for (std::ptrdiff_t y = rows.begin; y < rows.end; y += rows.step) {
        const float* line = input + 4 * y * g.input.width;
        for (std::ptrdiff_t x = columns.begin; x < columns.end; x += columns.step) {
          result = Join<Kind>(result, wasm_v128_load(line + 4 * x));
        }
      }
      if (Kind == Pool::Kind::kAverage) result = wasm_f32x4_div(result, wasm_f32x4_splat(Divisor(rows, columns)));
      wasm_v128_store(output, wasm_f32x4_pmin(wasm_f32x4_pmax(result, least), most));
    }
  }
}

}  // namespace

void PoolReference(const PoolGeometry& g, const float* input, float* output) {
  for (std::ptrdiff_t plane = 0; plane < g.batch * g.input.channels; ++plane) {
    for (std::ptrdiff_t oy = 0; oy < g.output.height; ++oy) {
      const Span rows = MakeSpan(g, 0, oy);
      for (std::ptrdiff_t ox = 0; ox < g.output.width; ++ox) {
        *output++ = PoolAt(g, rows, MakeSpan(g, 1, ox), input + plane * g.input.Pixels());
      }
    }
  }
}

void PoolC4(const PoolGeometry& g, Stretch blocks, const Epilogue& epilogue, const float* input, float* output) {
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    const float* from = input + block * g.input.BlockStride();
    float* to = output + block * g.output.BlockStride();
    if (g.kind == Pool::Kind::kMax) {
      PoolBlock<Pool::Kind::kMax>(g, epilogue, from, to);
    } else {
      PoolBlock<Pool::Kind::kAverage>(g, epilogue, from, to);
    }
  }
}

void GlobalPoolReference(Pool::Kind kind, std::ptrdiff_t planes, std::ptrdiff_t elements, const float* input,
                         float* output) {
  for (std::ptrdiff_t plane = 0; plane < planes; ++plane, input += elements) {
    float result = kind == Pool::Kind::kMax ? kLowest : 0;
    for (std::ptrdiff_t i = 0; i < elements; ++i)
      result = kind == Pool::Kind::kMax ? std::max(result, input[i]) : result + input[i];
    output[plane] = kind == Pool::Kind::kMax ? result : result / static_cast<float>(elements);
  }
}

void GlobalPoolC4(Pool::Kind kind, const Image& image, Stretch blocks, const Epilogue& epilogue, const float* input,
                  float* output) {
  const bool is_max = kind == Pool::Kind::kMax;
  const v128_t count = wasm_f32x4_splat(static_cast<float>(image.Pixels()));
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    const float* from = input + block * image.BlockStride();
    v128_t result = wasm_f32x4_splat(is_max ? kLowest : 0);
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel) {
      const v128_t x = wasm_v128_load(from + 4 * pixel);
      result = is_max ? Join<Pool::Kind::kMax>(result, x) : Join<Pool::Kind::kAverage>(result, x);
    }
    if (!is_max) result = wasm_f32x4_div(result, count);
    result = wasm_f32x4_pmin(wasm_f32x4_pmax(result, wasm_f32x4_splat(epilogue.low)), wasm_f32x4_splat(epilogue.high));
    wasm_v128_store(output + 4 * block, result);
  }
}

}  // namespace kdequant::runtime
