import { type LayerReport } from 'kdequant';

const HEIGHT = 72;
const BAR_WIDTH = 8;
const BEST_DB = 50;

interface SqnrChartProps {
  readonly layers: readonly LayerReport[];
  /** How many there will be. */
  readonly count: number;
}

/** One bar a layer: how far the weights stand above their rounding error, in decibels. */
export function SqnrChart({ layers, count }: SqnrChartProps) {
  const width = Math.max(layers.length, count) * BAR_WIDTH;
  return (
    <svg
      class="sqnr-chart"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Signal to quantization noise of ${layers.length} layers`}
    >
      {layers.map((layer, index) => {
        const share = Math.min(Math.max((layer.sqnrDb ?? BEST_DB) / BEST_DB, 0), 1);
        const height = Math.max(share * HEIGHT, 1);
        const sqnr = layer.sqnrDb === null ? 'exact' : `${layer.sqnrDb.toFixed(1)} dB`;
        return (
          <rect
            key={layer.name}
            class={`sqnr-chart__bar sqnr-chart__bar--${layer.bits}`}
            x={index * BAR_WIDTH + 1}
            y={HEIGHT - height}
            width={BAR_WIDTH - 2}
            height={height}
            rx={1.5}
          >
            <title>{`${layer.name}: ${sqnr}, ${layer.bits} bits`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
