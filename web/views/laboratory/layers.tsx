// Which layer is on the bench: a list, and the neighbours.
import { computed } from '@preact/signals';
import { type LayerSummary } from 'kdequant';
import { useId } from 'preact/hooks';

import { layer as layerName } from '../../app/layer.js';
import { weightLayers } from '../../app/network.js';
import { formatCount } from '../../ui/format.js';

/** The layer that the address names; without one the first that is large enough to be worth a look. */
export const layer = computed<LayerSummary | undefined>(() => {
  const layers = weightLayers.value;
  return (
    layers.find(({ name }) => name === layerName.value) ??
    layers.find(({ weights, depthwise }) => weights > 4096 && !depthwise) ??
    layers[0]
  );
});

export function LayerPicker() {
  const id = useId();
  const layers = weightLayers.value;
  const current = layer.value;
  if (current === undefined) return <p class="hint">Waiting for the network…</p>;
  const index = layers.indexOf(current);
  const neighbour = (by: number, text: string) => {
    const next = layers[index + by];
    return (
      <button
        type="button"
        class="button"
        disabled={next === undefined}
        onClick={() => {
          if (next !== undefined) layerName.value = next.name;
        }}
      >
        {text}
      </button>
    );
  };
  return (
    <div class="laboratory__layers">
      <div class="field">
        <label for={id}>{`Layer ${index + 1} of ${layers.length}, ${formatCount(current.weights)} weights`}</label>
        <select
          id={id}
          value={current.name}
          onChange={({ currentTarget }) => {
            layerName.value = currentTarget.value;
          }}
        >
          {layers.map(({ name, op, shape, depthwise }) => (
            <option key={name} value={name}>
              {`${name} · ${depthwise ? 'depthwise ' : ''}${op}, ${shape.join(' × ')}`}
            </option>
          ))}
        </select>
      </div>
      {neighbour(-1, 'Earlier')}
      {neighbour(1, 'Later')}
    </div>
  );
}
