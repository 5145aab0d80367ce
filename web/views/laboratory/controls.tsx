// The canvas's controls once more, as a form.
import { useSignal } from '@preact/signals';

import { METHODS } from '../../app/settings.js';
import { RangeField, SelectField } from '../../ui/fields.js';
import { type Experiment, figures, MOST_LEVELS, MOST_SAMPLES, settings } from './experiment.js';
import { FILM_STARTS, type FilmStart, type Laboratory } from './module.js';
import { METHOD_NAMES } from './names.js';

const START_NAMES: Readonly<Record<FilmStart, string>> = {
  'k-means++': 'k-means++: drawn at random, far apart',
  uniform: 'equal steps',
  companding: 'companding: quantiles of the density’s cube root',
  designer: 'the designer’s own: the coarse optimum',
};

export function Controls({ experiment }: { readonly experiment: Experiment }) {
  return (
    <>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <SelectField
          label="Method"
          hint="How the levels are found."
          value={settings.method}
          options={METHODS.map((method) => [method, METHOD_NAMES[method]])}
        />
        <RangeField
          label="Number of levels"
          hint="16 levels are 4 bits a weight. NF4 always has 16."
          value={settings.levels}
          low={2}
          high={MOST_LEVELS}
          step={1}
        />
        <RangeField
          label="Sampled weights"
          hint="How many weights the density is estimated from."
          value={settings.samples}
          low={16}
          high={MOST_SAMPLES}
          step={Math.SQRT2}
          scale="logarithmic"
          whole
          format={(value) => Math.round(value).toLocaleString('en')}
        />
        <SelectField
          label="Sampling"
          hint="Stratified keeps the tails, which carry the error; random misses them."
          value={settings.sampling}
          options={[
            ['stratified', 'stratified'],
            ['random', 'random'],
            ['stratified-blind', 'stratified, without reading all weights'],
          ]}
        />
        <RangeField
          label="Bandwidth factor"
          hint="How wide a bell is laid over each sampled weight: this times the rule’s width."
          value={settings.bandwidthFactor}
          low={0.05}
          high={8}
          step={1.1}
          scale="logarithmic"
          format={(value) => value.toPrecision(2)}
        />
        <SelectField
          label="Bandwidth rule"
          hint="Where the width comes from."
          value={settings.bandwidth}
          options={[
            ['silverman', 'Silverman’s rule of thumb'],
            ['isj', 'improved Sheather-Jones'],
          ]}
        />
        <SelectField
          label="Weights"
          hint="Channels of different strength share levels better on one scale."
          value={settings.units}
          options={[
            ['channel-scale', 'in units of their channel’s scale'],
            ['tensor', 'as they are'],
          ]}
        />
      </form>
      <Film experiment={experiment} />
    </>
  );
}

function Film({ experiment }: { readonly experiment: Experiment }) {
  const { laboratory } = experiment;
  const start = useSignal<FilmStart>('k-means++');
  const now = figures.value;
  const doing = (action: (laboratory: Laboratory) => void) => (): void => {
    action(laboratory);
    experiment.publish();
    experiment.redraw();
  };
  const frame = now?.frame ?? 0;
  const last = (now?.frames ?? 1) - 1;
  const hasFilm = (now?.frames ?? 0) > 0;
  return (
    <fieldset class="laboratory__film">
      <legend>Lloyd’s iteration, step by step</legend>
      <SelectField
        label="Start"
        hint="Where the levels stand before the first step."
        value={start}
        options={FILM_STARTS.map((choice) => [choice, START_NAMES[choice]])}
      />
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={doing((lab) => {
            lab.startFilm(start.value);
          })}
        >
          Start over
        </button>
        <button
          type="button"
          class="button"
          onClick={doing((lab) => {
            if (now?.playing === true) lab.pause();
            else if (hasFilm) lab.play();
            else {
              lab.startFilm(start.value);
              lab.play();
            }
          })}
        >
          {now?.playing === true ? 'Pause' : 'Play'}
        </button>
        <button
          type="button"
          class="button"
          disabled={!hasFilm || frame === 0}
          onClick={doing((lab) => {
            lab.showFrame(frame - 1);
          })}
        >
          Step back
        </button>
        <button
          type="button"
          class="button"
          disabled={!hasFilm || frame >= last}
          onClick={doing((lab) => {
            lab.showFrame(frame + 1);
          })}
        >
          Step on
        </button>
        <button
          type="button"
          class="button"
          disabled={!hasFilm}
          onClick={doing((lab) => {
            lab.endFilm();
          })}
        >
          Close the film
        </button>
        <span class="hint">{hasFilm ? `Step ${frame} of ${last}` : 'No film is on.'}</span>
      </div>
      <MoveLevel
        move={(level, to) => {
          doing((lab) => {
            lab.moveLevel(level, to);
          })();
        }}
      />
    </fieldset>
  );
}

/** What dragging a level does, by two numbers. */
function MoveLevel({ move }: { readonly move: (level: number, to: number) => void }) {
  const level = useSignal(1);
  const now = figures.value;
  if (now === undefined) return null;
  const at = Math.min(level.value, now.levels.length) - 1;
  const value = now.levels[at] ?? 0;
  const low = now.levels[at - 1] ?? value - Math.abs(value);
  const high = now.levels[at + 1] ?? value + Math.abs(value);
  return (
    <div class="fields">
      <RangeField
        label="Move by hand: level"
        hint="Which level."
        value={level}
        low={1}
        high={now.levels.length}
        step={1}
      />
      <div class="field">
        <label for="laboratory-move">
          Its value <output for="laboratory-move">{value.toPrecision(4)}</output>
        </label>
        <input
          id="laboratory-move"
          type="range"
          min={low}
          max={high}
          step={(high - low) / 200 || 'any'}
          value={value}
          onInput={({ currentTarget }) => {
            move(at, currentTarget.valueAsNumber);
          }}
        />
        <p class="hint">Between its neighbours. Then play: Lloyd’s iteration repairs it.</p>
      </div>
    </div>
  );
}
