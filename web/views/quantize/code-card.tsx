// The few lines that do the same elsewhere, for the settings at hand.
import { useSignal } from '@preact/signals';

import { showAlert } from '../../app/alerts.js';
import { network } from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { type RunSettings } from '../../app/run-store.js';
import { changedSettings } from '../../app/settings.js';

export function CodeCard() {
  const now = small.value;
  if (now === undefined || network.value.kind !== 'ready') return null;
  const file = `${network.value.name.replace(/\.onnx$/i, '').toLowerCase()}.onnx`;
  return (
    <section class="card" id="code-card" aria-labelledby="code-heading">
      <h2 id="code-heading">Use it yourself</h2>
      <p class="hint">The same network from the same file, byte for byte, outside this page.</p>
      <div class="code-pair">
        <Code title="JavaScript, in a page or in Node" text={javascript(file, now.run.settings)} />
        <Code title="Command line" text={commandLine(file, now.run.settings)} />
      </div>
    </section>
  );
}

function Code({ title, text }: { readonly title: string; readonly text: string }) {
  const copied = useSignal(false);
  return (
    <div class="code">
      <div class="row">
        <h3>{title}</h3>
        <button
          type="button"
          class="button button--small button--quiet card__action"
          aria-label={`${copied.value ? 'Copied' : 'Copy'}: ${title}`}
          onClick={() => {
            navigator.clipboard.writeText(text).then(() => (copied.value = true), showAlert);
          }}
        >
          {copied.value ? 'Copied' : 'Copy'}
        </button>
      </div>
      <pre class="code__text" tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

export function javascript(file: string, settings: RunSettings): string {
  const { calibration, ...options } = changedSettings(settings);
  const lines = Object.entries(options).map(([key, value]) => `  ${key}: ${literal(value)},`);
  if (calibration === 'photos') lines.push('  calibration: photos, // an array of your own');
  if (calibration === 'none') lines.push("  calibration: 'none',");
  const argument = lines.length === 0 ? '' : `{\n${lines.join('\n')}\n}`;
  return `import { loadModel } from 'kdequant';

const float = await loadModel('${file}');
const { model, report } = await float.quantize(${argument});

const session = await model.createSession();
const { predictions } = await session.classify(photo);
const bytes = model.toOnnx(); // ${file.replace('.onnx', '.4bit.onnx')}`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

const FLAGS = {
  method: '--method',
  granularity: '--granularity',
  codebooks: '--codebooks',
  bits: '--bits',
  sampling: '--sampling',
  samples: '--samples',
  bandwidth: '--bandwidth',
  bandwidthFactor: '--bandwidth-factor',
  seed: '--seed',
  effort: '--effort',
} as const satisfies Partial<Record<keyof RunSettings, string>>;

export function commandLine(file: string, settings: RunSettings): string {
  const { calibration, pictures, compensation, ...options } = changedSettings(settings);
  const parts = Object.entries(FLAGS).flatMap(([key, flag]) => {
    const value = options[key as keyof typeof FLAGS];
    return value === undefined ? [] : [`${flag} ${value}`];
  });
  if (calibration === 'none') parts.push('--calibration none');
  else if (calibration === 'photos') parts.push('--calibration photos/');
  else if (pictures !== undefined) parts.push(`--calibration synthetic:${pictures}`);
  if (compensation === false) parts.push('--compensation off');
  const small = file.replace('.onnx', '.4bit.onnx');
  return [`kdequant quantize ${file} -o ${small}`, ...parts.map((part) => `    ${part}`)]
    .join(' \\\n')
    .concat(`\nkdequant classify ${small} photo.jpg`);
}
