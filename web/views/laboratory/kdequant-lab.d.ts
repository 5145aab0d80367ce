// What web/lab's build makes, by the name that vite.config.js gives its folder.
declare module 'kdequant-lab/kdequant-lab.mjs' {
  const factory: (options: {
    instantiateWasm(
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ): object;
  }) => Promise<import('./module.js').LaboratoryModule>;
  // eslint-disable-next-line no-restricted-exports -- as Emscripten makes it
  export default factory;
}
