import { type EngineModule, type ModuleFactory } from './engine-module.js';
declare const factory: ModuleFactory<EngineModule>;
export default factory;
