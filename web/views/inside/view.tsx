// Inside both networks: where the error goes, the filters, and what they find in a photo.
import './inside.css';

import { network } from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { PhotoBar } from '../../photos/photo-bar.js';
import { NeedsSmall } from '../../ui/needs-small.js';
import { ViewHeader } from '../../ui/view-header.js';
import { ErrorPath } from './error-path.js';
import { Filters } from './filters.js';
import { Maps } from './maps.js';
import { LayerPicker } from './layer-picker.js';
import { layer } from './layers.js';

export function View() {
  const float = network.value;
  return (
    <>
      <ViewHeader title="Look inside">
        Sixteen values a channel instead of four billion: what that does to the filters, to what they find in a photo,
        and how far the error goes.
      </ViewHeader>
      <NeedsSmall>Only the float network can be shown until there is a 4-bit one to lay beside it.</NeedsSmall>
      {float.kind !== 'ready' ? (
        <p class="hint">Waiting for the network…</p>
      ) : (
        <>
          <section class="card" aria-labelledby="error-heading">
            <h2 id="error-heading">Where the error goes</h2>
            <PhotoBar id="inside-files" />
            <ErrorPath float={float} small={small.value} />
          </section>
          {layer.value !== undefined && (
            <>
              <LayerPicker />
              <Filters float={float} small={small.value} layer={layer.value} />
              <Maps float={float} small={small.value} layer={layer.value} />
            </>
          )}
        </>
      )}
    </>
  );
}
