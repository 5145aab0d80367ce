// Runs the package's tests in the Node that runs this and in Node 22: node tests/package/run.mjs [file or option]...
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const other = fileURLToPath(new URL('node_modules/node/bin/node', here));
if (!existsSync(other)) {
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], { cwd: here, stdio: 'inherit' });
}

const given = process.argv.slice(2);
const files = given.some((argument) => argument.endsWith('.mjs'))
  ? []
  : readdirSync(here)
      .filter((name) => name.endsWith('.test.mjs'))
      .map((name) => fileURLToPath(new URL(name, here)));

let failed = false;
for (const node of [process.execPath, other]) {
  console.log(`Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
  // Two files at a time: each quantizes a whole network.
  const { status } = spawnSync(node, ['--test', '--test-concurrency=2', ...given, ...files], { stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
