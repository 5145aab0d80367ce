// The most probable classes of both networks, one bar under the other, and by how much they differ.
import { type Classification, type Prediction } from 'kdequant';

import { formatMilliseconds, formatPercent } from '../ui/format.js';

/** How many answers of each network are shown. */
const SHOWN = 5;

/** Differences from one point on are shown in colour. */
const NOTABLE = 0.01;

interface Row {
  readonly classIndex: number;
  readonly label: string;
  readonly float: number | undefined;
  readonly small: number | undefined;
}

interface PairedBarsProps {
  readonly float: Classification;
  readonly small: Classification | undefined;
  /** Of what, for those who hear it. */
  readonly name: string;
}

export function PairedBars({ float, small, name }: PairedBarsProps) {
  return (
    <table class="paired">
      <caption class="visually-hidden">{`Most probable classes of ${name}, float beside 4-bit`}</caption>
      <thead>
        <tr>
          <th scope="col">Most probable</th>
          <th scope="col" class="paired__number paired__head--float">
            float <span class="paired__time">{formatMilliseconds(float.milliseconds)}</span>
          </th>
          {small !== undefined && (
            <>
              <th scope="col" class="paired__number paired__head--small">
                4-bit <span class="paired__time">{formatMilliseconds(small.milliseconds)}</span>
              </th>
              <th scope="col" class="paired__number paired__change">
                change
              </th>
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {rowsOf(float, small).map((row) => (
          <BarRow key={row.classIndex} row={row} both={small !== undefined} />
        ))}
      </tbody>
    </table>
  );
}

function BarRow({ row, both }: { readonly row: Row; readonly both: boolean }) {
  const change = (row.small ?? 0) - (row.float ?? 0);
  const notable = Math.abs(change) >= NOTABLE;
  return (
    <tr>
      <th scope="row" class="paired__class">
        {row.label}
        <span class="paired__bars" aria-hidden="true">
          <span class="paired__bar paired__bar--float" style={{ '--share': row.float ?? 0 }} />
          {both && <span class="paired__bar paired__bar--small" style={{ '--share': row.small ?? 0 }} />}
        </span>
      </th>
      <td class="paired__number">{probability(row.float)}</td>
      {both && (
        <>
          <td class="paired__number">{probability(row.small)}</td>
          <td
            class={notable ? 'paired__number paired__change paired__change--notable' : 'paired__number paired__change'}
          >
            {points(change)}
          </td>
        </>
      )}
    </tr>
  );
}

function rowsOf(float: Classification, small: Classification | undefined): Row[] {
  const rows = new Map<number, Row>();
  const find = (list: readonly Prediction[], classIndex: number): number | undefined =>
    list.find((prediction) => prediction.classIndex === classIndex)?.probability;
  for (const { classIndex, label } of [
    ...float.predictions.slice(0, SHOWN),
    ...(small?.predictions.slice(0, SHOWN) ?? []),
  ]) {
    rows.set(classIndex, {
      classIndex,
      label,
      float: find(float.predictions, classIndex),
      small: small && find(small.predictions, classIndex),
    });
  }
  const weight = ({ float: a = 0, small: b = 0 }: Row): number => Math.max(a, b);
  return [...rows.values()].sort((a, b) => weight(b) - weight(a));
}

/** Beyond the classes asked for there is hardly anything left. */
function probability(value: number | undefined): string {
  return value === undefined ? '< 0.1 %' : formatPercent(value);
}

function points(change: number): string {
  const rounded = Math.abs(100 * change).toFixed(1);
  if (rounded === '0.0') return '0';
  return `${change > 0 ? '+' : '−'}${rounded}`;
}

/** Whether both networks give the same first answer. */
export function Verdict({ float, small }: Pick<PairedBarsProps, 'float' | 'small'>) {
  if (small === undefined) return null;
  const same = float.predictions[0]?.classIndex === small.predictions[0]?.classIndex;
  return (
    <span class={same ? 'badge badge--same' : 'badge badge--differs'}>{same ? 'same answer' : 'answers differ'}</span>
  );
}
