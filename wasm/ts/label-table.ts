// A table of picture files and their classes, read by the engine: the command reads it with the same code.
import { loadEngine } from './engine.js';
import { ask } from './errors.js';
import { type TableParser } from './folder.js';

export const parseLabelTable: TableParser = async (csv) => {
  const { native } = await loadEngine();
  return ask(() => native.labelTable(csv));
};
