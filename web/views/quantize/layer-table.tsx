// Every layer of the network with its shape, weights, operations and its share of the file.
import { network } from '../../app/network.js';
import { formatCount, formatPercent } from '../../ui/format.js';

export function LayerTable() {
  const state = network.value;
  if (state.kind !== 'ready') return null;
  const { layers, summary } = state.model;
  const total = layers.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <details class="fold layer-table">
      <summary>All {layers.length} layers</summary>
      {/* A scrolling region must be reachable by keyboard. */}
      <div class="table-frame" tabIndex={0} role="region" aria-label="Layers of the network">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">layer</th>
              <th scope="col">operator</th>
              <th scope="col">shape</th>
              <th scope="col" class="table__number">
                weights
              </th>
              <th scope="col" class="table__number">
                multiply-adds
              </th>
              <th scope="col" class="table__number">
                share of bytes
              </th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ name, op, depthwise, shape, weights, macs, bytes }, index) => (
              <tr key={index} class={weights > 0 ? undefined : 'table__minor'}>
                <th scope="row">{name}</th>
                <td>{depthwise ? `${op}, depthwise` : op}</td>
                <td>{shape.join(' × ')}</td>
                <td class="table__number">{weights > 0 ? formatCount(weights) : ''}</td>
                <td class="table__number">{macs > 0 ? formatCount(macs) : ''}</td>
                <td class="table__number table__share" style={{ '--share': bytes / total }}>
                  {bytes > 0 ? formatShare(bytes / total) : ''}
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>
                all
              </th>
              <td class="table__number">{formatCount(summary.weights)}</td>
              <td class="table__number">{formatCount(summary.macs)}</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
    </details>
  );
}

function formatShare(share: number): string {
  return share < 0.0005 ? '< 0.1 %' : formatPercent(share);
}
