// How the engine's module is put in order and rid of what only the tools need (wasm/scripts), on modules of a few lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveData } from '../../wasm/scripts/data.mjs';
import { order } from '../../wasm/scripts/order.mjs';

const tools = '(module\n (import "engine" "m" (memory $m 1))\n (func $t\n  (nop)\n )\n)\n';

/** Where constants lie, as the linker tells it: texts first, then tables by their sizes. */
function mapOf(texts, ...tables) {
  const row = (start, size, name) =>
    `${start.toString(16).padStart(8)}    1000 ${size.toString(16).padStart(8)}         ${name}`;
  let start = 1024 + texts;
  const rows = [row(1024, texts, '<internal>:(.rodata)')];
  for (const [i, size] of tables.entries()) {
    rows.push(row(start, size, `a.o:(.rodata.table${i})`));
    start += size;
  }
  return rows.join('\n');
}

const bytesOf = (text) => Buffer.from([...text.matchAll(/\\([0-9a-f]{2})/g)].map(([, hex]) => parseInt(hex, 16)));
const dataOf = (module) => module.split('\n').filter((line) => line.startsWith(' (data '));

test('texts that the engine does not refer to go to the tools, and zeros stay in their place', () => {
  const texts = 'its own text\0only of the tools\0of a table\0of the tools, too..\0.\0';
  const pointer = Buffer.alloc(4);
  pointer.writeUInt32LE(1024 + texts.indexOf('of a table'));
  const code = ` (func $f (result i32)\n  (i32.load\n   (i32.const ${1024 + texts.length})\n  )\n  (i32.const 1024)\n )\n`;
  const data = [...Buffer.from(texts), ...pointer].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const engine = `(module\n (memory $m 1)\n (data $0 (i32.const 1024) "${data}")\n${code})\n`;
  const moved = moveData({ engine, tools, map: mapOf(texts.length, 4) });

  const [kept, ...others] = dataOf(moved.engine);
  assert.deepEqual(others, []);
  const left = bytesOf(kept).toString('latin1');
  assert.equal(left.slice(0, texts.length).replaceAll('\0', ''), 'its own textof a table.');
  assert.equal(left.length, texts.length + 4);
  assert.deepEqual(
    dataOf(moved.tools).map((line) => [/i32\.const (\d+)/.exec(line)[1], bytesOf(line).toString('latin1')]),
    [
      [`${1024 + texts.indexOf('only')}`, 'only of the tools\0'],
      [`${1024 + texts.indexOf('of the tools, too')}`, 'of the tools, too..\0'],
    ],
  );
  assert.ok(moved.tools.includes('(func $t'));
});

test('without the place of the data nothing is moved', () => {
  const engine = '(module\n (data $0 "text\\00")\n (func $f\n  (nop)\n )\n)\n';
  assert.throws(() => moveData({ engine, tools, map: mapOf(5) }), /where the engine's data \$0 lie/);
  const placed = engine.replace('$0 ', '$0 (i32.const 1024) ');
  assert.throws(() => moveData({ engine: placed, tools, map: '' }), /no constants in the linker's map/);
});

test('functions that are alike come to lie beside each other, and none is lost', () => {
  const body = (word, count) => Array.from({ length: count }, (_, i) => `  (${word}${i % 11})`);
  const functions = { $a: body('add', 40), $x: body('mul', 30), $b: body('add', 39), $y: body('mul', 29) };
  const lines = Object.entries(functions).flatMap(([name, part]) => [` (func ${name}`, ...part, ' )']);
  const text = ['(module', ' (memory $m 1)', ...lines, ')', ''].join('\n');
  const ordered = order(text);
  assert.deepEqual(
    [...ordered.matchAll(/\(func (\$\w)/g)].map(([, name]) => name),
    ['$a', '$b', '$x', '$y'],
  );
  assert.deepEqual(ordered.split('\n').sort(), text.split('\n').sort());
  assert.ok(ordered.startsWith('(module\n (memory $m 1)\n') && ordered.endsWith('\n)\n'));
});
