// The layers that can be shown, and the one that is.
import { computed } from '@preact/signals';
import { type LayerSummary } from 'kdequant';

import { layer as layerName } from '../../app/layer.js';
import { network } from '../../app/network.js';

/** Layers with weights: those that are quantized. */
export const weightLayers = computed<readonly LayerSummary[]>(() =>
  network.value.kind === 'ready' ? network.value.model.layers.filter(({ weights }) => weights > 0) : [],
);

/** The layer that the address names; the first one where the network has none so called. Undefined without a network. */
export const layer = computed<LayerSummary | undefined>(
  () => weightLayers.value.find(({ name }) => name === layerName.value) ?? weightLayers.value[0],
);

export function chooseLayer(name: string): void {
  layerName.value = name;
}
