#include "kdequant/base/memory.h"

#include <new>

namespace kdequant {

void ThrowBadAlloc() { throw std::bad_alloc(); }

}  // namespace kdequant
