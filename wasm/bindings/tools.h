// What is more than loading and running a network: a WebAssembly module of its own, fetched when it is wanted.
#ifndef KDEQUANT_WASM_TOOLS_H_
#define KDEQUANT_WASM_TOOLS_H_

namespace kdequant::wasm {

/// Gives the tools' classes and functions to TypeScript: quantizing, writing, evaluating, looking into layers. Only to
/// be called once the module of the tools is there.
///
/// All that nothing but this function needs is cut out of the engine's module (wasm/scripts/split.mjs), so the engine
/// must not call, and not take the address of, anything that belongs to the tools.
void AddTools();

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_TOOLS_H_
