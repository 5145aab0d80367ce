// A table of picture files and their classes, read by the engine: the command reads it with the same code.
import { loadEngine } from './engine.js';
import { ask } from './errors.js';
import { type TableParser } from './folder.js';

export const parseLabelTable: TableParser = async (csv) => {
  const engine = await loadEngine();
  const tools = await engine.tools.get();
  return ask(() => tools.labelTable(csv));
};
