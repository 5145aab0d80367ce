import { type DecoderModule, type ModuleFactory } from './engine-module.js';
declare const factory: ModuleFactory<DecoderModule>;
export default factory;
