// Every option of a quantization, with what it does in a sentence; what a first visit does not need is folded away.
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { type RgbaPixels } from 'kdequant';

import { startEngine } from '../../app/engine.js';
import { network } from '../../app/network.js';
import { photos } from '../../app/photos.js';
import { type Calibration, calibrationPhotos, settings } from '../../app/settings.js';
import { CheckField, FileButton, RangeField, SelectField } from '../../ui/fields.js';
import { formatCount } from '../../ui/format.js';
import { Picture } from '../../ui/picture.js';

export function MainSettings() {
  return (
    <SelectField
      label="Levels"
      hint="How the values are found that weights are rounded to. The first two look at a few weights only."
      value={settings.method}
      options={[
        ['kde-lm', 'Lloyd-Max on a density'],
        ['kde-km', 'k-means on a density'],
        ['lloyd-max', 'Lloyd-Max on all weights'],
        ['k-means', 'k-means on all weights'],
        ['optimal', 'the optimum on all weights'],
        ['uniform-mse', 'equally spaced, smallest error'],
        ['uniform-minmax', 'equally spaced, whole range'],
        ['nf4', 'a fixed table (NF4)'],
      ]}
    />
  );
}

export function MoreSettings() {
  const withPictures = useComputed(() => settings.calibration.value !== 'none');
  const estimated = useComputed(() => settings.method.value.startsWith('kde'));
  const shown = useSignal(false);
  return (
    <details
      class="fold"
      onToggle={({ currentTarget }) => {
        shown.value = currentTarget.open;
      }}
    >
      <summary>More settings</summary>
      <div class="fields">
        <RangeField
          label="Bits a weight"
          hint="4 bits are 16 levels. 2 and 3 take as much room as 4 here, and 5 to 7 as much as 8."
          value={settings.bits}
          low={2}
          high={8}
          step={1}
        />
        <SelectField
          label="Levels are shared by"
          hint="The channels of a layer differ in strength; a scale for each keeps the weak ones."
          value={settings.granularity}
          options={[
            ['channel-scale', 'a layer, with a scale a channel'],
            ['tensor', 'a layer, as it is'],
            ['channel', 'a channel: a table for each'],
          ]}
        />
        {settings.granularity.value === 'channel-scale' && (
          <RangeField
            label="Codebooks a layer"
            hint="So many times 16 levels. Every channel takes those that suit its weights best; small layers get fewer."
            value={settings.codebooks}
            low={1}
            high={16}
            step={1}
          />
        )}
        {estimated.value && (
          <>
            <RangeField
              label="Sampled weights"
              hint="So many weights of a layer the density is estimated from."
              value={settings.samples}
              low={16}
              high={65536}
              step={2}
              scale="logarithmic"
            />
            <SelectField
              label="Sampling"
              hint="Rare large weights matter most: stratified sampling is sure to find them."
              value={settings.sampling}
              options={[
                ['stratified', 'stratified by value'],
                ['random', 'at random'],
                ['stratified-blind', 'stratified, without reading all'],
              ]}
            />
            <SelectField
              label="Bandwidth rule"
              hint="How wide a bell is laid over every sampled weight."
              value={settings.bandwidth}
              options={[
                ['silverman', 'Silverman’s rule of thumb'],
                ['isj', 'improved Sheather-Jones'],
              ]}
            />
            <RangeField
              label="Bandwidth factor"
              hint="Narrower than the rule follows the weights more closely; wider smooths them."
              value={settings.bandwidthFactor}
              low={0.125}
              high={8}
              step={Math.SQRT2}
              scale="logarithmic"
              format={(value) => `× ${value.toLocaleString('en', { maximumSignificantDigits: 2 })}`}
            />
          </>
        )}
        <SelectField
          label="Calibration"
          hint="Pictures show what each layer sees. Drawn ones do: no photo is needed."
          value={settings.calibration}
          options={CALIBRATIONS}
        />
        {withPictures.value && (
          <>
            <RangeField
              label="Pictures"
              hint="More pictures take longer and gain a little."
              value={settings.pictures}
              low={4}
              high={256}
              step={2}
              scale="logarithmic"
            />
            <CheckField
              label="Compensate errors"
              hint="Weights still to be rounded make up for the errors of those before: it costs most of the time, and gains most of the accuracy."
              value={settings.compensation}
            />
          </>
        )}
      </div>
      {shown.value && withPictures.value && <CalibrationPictures />}
    </details>
  );
}

const CALIBRATIONS: readonly (readonly [Calibration, string])[] = [
  ['synthetic', 'pictures drawn for it'],
  ['photos', 'photos of yours'],
  ['none', 'none: only the weights'],
];

function CalibrationPictures() {
  return settings.calibration.value === 'photos' ? <OwnPhotos /> : <DrawnPictures />;
}

function OwnPhotos() {
  const own = calibrationPhotos.value.length;
  return (
    <div class="row">
      <FileButton
        id="calibration-files"
        text="Photos to calibrate on…"
        class="button--small"
        accept="image/*"
        multiple
        onFiles={(files) => {
          calibrationPhotos.value = files;
        }}
      />
      <p class="hint">
        {own > 0
          ? `${formatCount(own)} photos chosen.`
          : `None chosen: the ${photos.value.length} shown below will be used.`}
      </p>
    </div>
  );
}

const THUMBNAILS = 8;

/** The first of the pictures that the next quantization will draw. */
function DrawnPictures() {
  const drawn = useSignal<readonly RgbaPixels[]>([]);
  const size = useComputed(() =>
    network.value.kind === 'ready' ? (network.value.session.info.inputShape.at(-1) ?? 224) : undefined,
  );
  useSignalEffect(() => {
    const side = size.value;
    const seed = settings.seed.value;
    if (side === undefined) return;
    let wanted = true;
    const draw = async (): Promise<void> => {
      const engine = await startEngine();
      const pictures: RgbaPixels[] = [];
      for (let index = 0; index < THUMBNAILS; ++index) pictures.push(await engine.deadLeaves(side, seed, index));
      if (wanted) drawn.value = pictures;
    };
    draw().catch(() => undefined); // only for looking at
    return () => {
      wanted = false;
    };
  });
  const count = Math.min(THUMBNAILS, settings.pictures.value);
  return (
    <figure class="figure">
      <div class="thumbnails">
        {drawn.value.slice(0, count).map((pixels, index) => (
          <Picture key={index} class="thumbnails__picture" pixels={pixels} label={`Drawn picture ${index + 1}`} />
        ))}
      </div>
      <figcaption>
        The first {count} of {settings.pictures.value} pictures that will be drawn: overlapping leaves, whose edges and
        sizes are like those of photos.
      </figcaption>
    </figure>
  );
}
