// Two squares, as large as the files: what "seven times smaller" looks like.
import { formatBytes } from '../ui/format.js';

interface SizeSquaresProps {
  readonly floatBytes: number;
  /** Undefined until the 4-bit network has been made. */
  readonly smallBytes: number | undefined;
}

export function SizeSquares({ floatBytes, smallBytes }: SizeSquaresProps) {
  return (
    <div class="size-squares">
      <Square name="float" bytes={floatBytes} share={1} />
      {smallBytes !== undefined && <Square name="4-bit" bytes={smallBytes} share={smallBytes / floatBytes} />}
    </div>
  );
}

function Square({ name, bytes, share }: { readonly name: string; readonly bytes: number; readonly share: number }) {
  return (
    <figure class="size-square">
      <div
        class={name === 'float' ? 'size-square__area' : 'size-square__area size-square__area--small'}
        style={{ '--side': Math.sqrt(share) }}
      />
      <figcaption>
        <span class="size-square__bytes">{formatBytes(bytes)}</span> {name}
      </figcaption>
    </figure>
  );
}
