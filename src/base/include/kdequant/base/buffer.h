// kdequant/base/buffer.h
// A run of plain values that starts on a cache line, left uninitialized on purpose.
#ifndef KDEQUANT_BASE_BUFFER_H_
#define KDEQUANT_BASE_BUFFER_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace kdequant {

/// Owns `size` values of a trivial type, aligned to 64 bytes (a cache line; any SIMD load is then aligned at multiples
/// of its width). The values are not initialized: kernels overwrite them, and touching an arena of 30 MB twice costs
/// milliseconds.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t kAlignment = 64;

  Buffer() = default;

  /// An empty buffer (`size() == 0`) if the memory is refused, never an exception: test `size()` where `count` may be
  /// large.
  explicit Buffer(std::size_t count) {
    if (count == 0 || count > std::numeric_limits<std::size_t>::max() / sizeof(T) - kAlignment) return;
    data_.reset(static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kAlignment}, std::nothrow)));
    size_ = data_ ? count : 0;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::span<T> span() { return {data_.get(), size_}; }
  std::span<const T> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_BASE_BUFFER_H_
