// Watches every WebAssembly memory of the page. Import it before anything that may make one.
const memories = new Set();
const { Memory, Instance, instantiate, instantiateStreaming } = WebAssembly;

const watch = (exports) => {
  for (const value of Object.values(exports)) if (value instanceof Memory) memories.add(value);
};

WebAssembly.Memory = new Proxy(Memory, {
  construct(target, parameters, newTarget) {
    const memory = Reflect.construct(target, parameters, newTarget);
    memories.add(memory);
    return memory;
  },
});
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, parameters) {
    const instance = Reflect.construct(target, parameters);
    watch(instance.exports);
    return instance;
  },
});
WebAssembly.instantiate = async (...parameters) => {
  const result = await instantiate.apply(WebAssembly, parameters);
  watch((result.instance ?? result).exports);
  return result;
};
WebAssembly.instantiateStreaming = async (...parameters) => {
  const result = await instantiateStreaming.apply(WebAssembly, parameters);
  watch(result.instance.exports);
  return result;
};

/** Bytes of all memories so far. They never shrink, so this is also the most there was. */
export const wasmBytes = () => [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
