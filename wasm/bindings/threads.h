// The threads of this module.
#ifndef KDEQUANT_WASM_THREADS_H_
#define KDEQUANT_WASM_THREADS_H_

#include <emscripten/val.h>

#include <memory>

#include "kdequant/base/parallel.h"

namespace kdequant::wasm {

/// One pool for all sessions: JavaScript runs one at a time.
const std::shared_ptr<ThreadPool>& ModulePool();

#ifdef __wasm_atomics__
/// What another worker needs to become a thread of the pool: { stack, setStack, serve, pool }. It makes an instance of
/// the same module in the same memory and calls, through the table of functions, `setStack(stack)`, then
/// `serve(pool, number)`, which does not return. Nothing else of the module may run in there: the thread has a stack of
/// its own, and neither thread-local variables nor the right to use the heap. Or a failure.
emscripten::val PrepareThread();

/// Tells the pool that threads 1 to `threads` - 1 are about to serve, and whether this one may sleep until they are
/// done.
void AdmitThreads(int threads, bool may_sleep);
#endif

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_THREADS_H_
