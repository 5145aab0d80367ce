#include "threads.h"

#include <cstdint>
#include <cstdlib>

#include "interop.h"

#ifdef __wasm_atomics__
// Of Emscripten's runtime: makes its argument the stack pointer of the instance that calls it.
extern "C" void _emscripten_stack_restore(void* stack);  // NOLINT(readability-identifier-naming)
#endif

namespace kdequant::wasm {

const std::shared_ptr<ThreadPool>& ModulePool() {
  static const auto pool = std::make_shared<ThreadPool>(1);
  return pool;
}

#ifdef __wasm_atomics__
namespace {

// Kernels keep what is large in the plan's scratch.
constexpr std::size_t kStackBytes = 64 * 1024;

void Serve(ThreadPool* pool, int thread) { pool->Serve(thread); }

template <typename Pointer>
double Number(Pointer pointer) {
  return static_cast<double>(reinterpret_cast<std::uintptr_t>(pointer));
}

}  // namespace

emscripten::val PrepareThread() {
  return Guard([&]() -> Result<emscripten::val> {
    // Threads live as long as the module.
    auto* const stack = static_cast<std::byte*>(std::aligned_alloc(16, kStackBytes));
    if (!stack) return Fail(ErrorCode::kOutOfMemory, "there is no memory for another thread");
    emscripten::val start = emscripten::val::object();
    start.set("stack", Number(stack + kStackBytes));
    start.set("setStack", Number(&_emscripten_stack_restore));
    start.set("serve", Number(&Serve));
    start.set("pool", Number(ModulePool().get()));
    return start;
  });
}

void AdmitThreads(int threads, bool may_sleep) { ModulePool()->Admit(threads, may_sleep); }
#endif

}  // namespace kdequant::wasm
