// Where Emscripten is.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';

/** The environment in which em++ is found: ours, or with what scripts/setup installed. */
export function emscriptenEnvironment() {
  const found = spawnQuietly('em++', ['--version'], process.env);
  if (found !== undefined) return process.env;
  const cache = process.env.KDEQUANT_CACHE ?? `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/kdequant`;
  const script = `${cache}/emscripten/env.sh`;
  if (!existsSync(script))
    throw new Error('em++ is not on PATH, and scripts/setup has not installed it: run scripts/setup');
  const lines = execFileSync('bash', ['-c', 'source "$0" && env -0', script], { encoding: 'utf8' }).split('\0');
  return Object.fromEntries(
    lines.filter(Boolean).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function spawnQuietly(command, args, env) {
  try {
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
