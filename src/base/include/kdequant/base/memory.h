// kdequant/base/memory.h
// What a constructor does that was refused the memory it needs.
#ifndef KDEQUANT_BASE_MEMORY_H_
#define KDEQUANT_BASE_MEMORY_H_

namespace kdequant {

/// Throws std::bad_alloc, also from code that is compiled without exceptions (see cmake/Room.cmake).
[[noreturn]] void ThrowBadAlloc();

}  // namespace kdequant

#endif  // KDEQUANT_BASE_MEMORY_H_
