import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const sample = fileURLToPath(new URL('types/sample.ts', import.meta.url));

for (const [module, moduleResolution] of [
  ['NodeNext', 'NodeNext'],
  ['ESNext', 'Bundler'],
]) {
  test(`a strict project with ${moduleResolution} resolution type-checks against the package`, () => {
    const options = ['--module', module, '--moduleResolution', moduleResolution, '--target', 'ES2022'];
    // No Disposable in this project's library: the declarations bring what they need.
    const library = ['--lib', 'ES2022,DOM', '--strict', '--noEmit', '--ignoreConfig'];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...library, sample], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}
