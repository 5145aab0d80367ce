import { type LayerReport } from 'kdequant';

const WIDTH = 320;
const HEIGHT = 36;

/** The levels of a layer as ticks on a line from the lowest to the highest, zero marked. */
export function LevelStrip({ layer }: { readonly layer: LayerReport }) {
  const reach = Math.max(...layer.levels.map(Math.abs), Number.MIN_VALUE);
  const x = (level: number): number => WIDTH / 2 + (level / reach) * (WIDTH / 2 - 6);
  return (
    <svg
      class="level-strip"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`The ${layer.levels.length} levels of ${layer.name}`}
    >
      <line class="level-strip__axis" x1={0} x2={WIDTH} y1={HEIGHT - 8} y2={HEIGHT - 8} />
      <line class="level-strip__zero" x1={x(0)} x2={x(0)} y1={HEIGHT - 12} y2={HEIGHT - 2} />
      {layer.levels.map((level, index) => (
        <line key={index} class="level-strip__level" x1={x(level)} x2={x(level)} y1={4} y2={HEIGHT - 10} />
      ))}
    </svg>
  );
}
