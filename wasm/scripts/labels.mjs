// Makes a module of the class names, which the package loads only for models that need them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';

/** Writes `target` (TypeScript) from `source` (a name a line); leaves it alone if it would stay the same. */
export async function writeLabels(source, target) {
  const names = (await readFile(source, 'utf8')).trimEnd().split('\n');
  if (names.length !== 1000) throw new Error(`${source.pathname} has ${names.length} lines instead of 1,000`);
  const text =
    `// Made by scripts/labels.mjs from assets/imagenet-classes.txt.\n` +
    `export const imagenetLabels: readonly string[] = ${JSON.stringify(names.join('\n'))}.split('\\n');\n`;
  if (text === (await readFile(target, 'utf8').catch(() => ''))) return;
  await mkdir(new URL('.', target), { recursive: true });
  await writeFile(target, text);
}
