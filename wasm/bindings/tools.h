// What is more than loading and running a 4-bit network: in a WebAssembly module of its own, fetched when it is wanted.
#ifndef KDEQUANT_WASM_TOOLS_H_
#define KDEQUANT_WASM_TOOLS_H_

namespace kdequant::wasm {

/// Gives the tools' classes and functions to TypeScript: quantizing, writing, evaluating, looking into layers. Only to
/// be called once the module of the tools is there.
///
/// All that 4-bit networks of the usual layers do not call is cut out of the engine's module, this function first
/// (wasm/scripts/split.mjs). The engine may call it all the same, but better not where somebody waits for an answer:
/// the first call of the kind fetches the tools while everything else stands still.
void AddTools();

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_TOOLS_H_
