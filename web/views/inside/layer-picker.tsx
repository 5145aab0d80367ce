// Which layer is shown: a list, and the neighbours.
import { type LayerSummary } from 'kdequant';

import { formatBytes, formatCount } from '../../ui/format.js';
import { small } from '../../app/quantization.js';
import { chooseLayer, layer, weightLayers } from './layers.js';

export function LayerPicker() {
  const layers = weightLayers.value;
  const current = layer.value;
  if (current === undefined) return null;
  const index = layers.indexOf(current);
  const step = (by: number): void => {
    const next = layers[index + by];
    if (next !== undefined) chooseLayer(next.name);
  };
  const quantized = small.value?.model.layers.find(({ name }) => name === current.name);
  return (
    <section class="card layer-picker" aria-label="Layer">
      <div class="layer-picker__row">
        <button
          type="button"
          class="button"
          disabled={index === 0}
          onClick={() => {
            step(-1);
          }}
        >
          Earlier
        </button>
        <div class="field layer-picker__field">
          <label for="inside-layer">{`Layer ${index + 1} of ${layers.length}`}</label>
          <select
            id="inside-layer"
            value={current.name}
            onChange={({ currentTarget }) => {
              chooseLayer(currentTarget.value);
            }}
          >
            {layers.map((choice) => (
              <option key={choice.name} value={choice.name}>
                {`${choice.name} · ${kindOf(choice)}`}
              </option>
            ))}
          </select>
        </div>
        <button
          type="button"
          class="button"
          disabled={index === layers.length - 1}
          onClick={() => {
            step(1);
          }}
        >
          Later
        </button>
      </div>
      <p class="hint">{describe(current, quantized)}</p>
    </section>
  );
}

export function kindOf({ op, shape, depthwise }: LayerSummary): string {
  if (op !== 'Conv') return `fully connected, ${shape.join(' × ')}`;
  const window = shape.slice(2).join(' × ');
  return depthwise
    ? `depthwise ${window}, ${shape[0] ?? 0} channels`
    : `${window}, ${shape[1] ?? 0} → ${shape[0] ?? 0} channels`;
}

function describe(float: LayerSummary, quantized: LayerSummary | undefined): string {
  const before = `${formatCount(float.weights)} weights, ${formatBytes(float.bytes)} in float`;
  if (quantized === undefined) return `${before}.`;
  const { codebooks } = quantized;
  const choice = codebooks > 1 ? ` in each of ${codebooks} codebooks` : '';
  const levels = quantized.levels.length > 0 ? `, ${quantized.levels.length} levels${choice}` : '';
  const why =
    quantized.bits === 8 && quantized.depthwise ? ' (depthwise kernels are few and delicate: they keep 8)' : '';
  return `${before}; ${formatBytes(quantized.bytes)} in ${quantized.bits} bits${levels}${why}.`;
}
