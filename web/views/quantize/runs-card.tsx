// Every quantization so far, side by side: to compare, to go back to, to take away.
import { showAlert } from '../../app/alerts.js';
import { chooseRun, isOfNetwork, isQuantizing, small } from '../../app/quantization.js';
import { downloadRun, exportLayers, exportRuns, sqnrOf } from '../../app/run-export.js';
import { type Run } from '../../app/run-store.js';
import { MAX_RUN_BYTES, keepProblem, removeRun, renameRun, roomQuestion, runBytes, runs } from '../../app/runs.js';
import { formatBytes, formatDecibels, formatMilliseconds } from '../../ui/format.js';

export function RunsCard() {
  const list = runs.value.toReversed();
  if (list.length === 0 && keepProblem.value === undefined) return null;
  return (
    <section class="card" id="runs-card" aria-labelledby="runs-heading">
      <div class="row card__head">
        <h2 id="runs-heading">Runs</h2>
        <p class="hint">
          {formatBytes(runBytes.value)} of {formatBytes(MAX_RUN_BYTES)}, kept in this browser.
        </p>
        {list.length > 0 && (
          <button
            type="button"
            class="button button--small card__action"
            onClick={() => {
              exportRuns(runs.value);
            }}
          >
            Export the table (CSV)
          </button>
        )}
      </div>
      <RoomQuestion />
      {keepProblem.value !== undefined && (
        <p class="alert" role="alert">
          {keepProblem.value}
        </p>
      )}
      {list.length > 0 && (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Runs">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">run</th>
                <th scope="col">network</th>
                <th scope="col" class="table__number">
                  size
                </th>
                <th scope="col" class="table__number">
                  SQNR
                </th>
                <th scope="col" class="table__number">
                  same answer
                </th>
                <th scope="col" class="table__number">
                  time
                </th>
                <th scope="col">
                  <span class="visually-hidden">what to do with it</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((run) => (
                <Row key={run.id} run={run} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ run }: { readonly run: Run }) {
  const { report, agreement } = run;
  const sqnr = sqnrOf(run);
  const shown = small.value?.run.id === run.id;
  return (
    <tr class={shown ? 'table__chosen' : undefined}>
      <th scope="row">
        <input
          key={run.title} // What is typed stays while the rest of the row changes.
          class="table__name"
          aria-label={`Name of the run ${run.title}`}
          defaultValue={run.title}
          onChange={({ currentTarget }) => {
            const title = currentTarget.value.trim();
            if (title === '') currentTarget.value = run.title;
            else renameRun(run, title).catch(showAlert);
          }}
        />
      </th>
      <td>{run.network}</td>
      <td class="table__number">{formatBytes(report.bytesOut)}</td>
      <td class="table__number">{sqnr === undefined ? '–' : formatDecibels(sqnr)}</td>
      <td class="table__number">{agreement === undefined ? '–' : `${agreement.same} of ${agreement.of}`}</td>
      <td class="table__number">{formatMilliseconds(1000 * report.seconds)}</td>
      <td>
        <div class="row table__actions">
          <button
            type="button"
            class="button button--small"
            aria-pressed={shown}
            aria-label={`${shown ? 'Shown' : 'Show'}: ${run.title}`}
            disabled={shown || isQuantizing.value || !isOfNetwork(run)}
            title={isOfNetwork(run) ? undefined : `Load ${run.network} first`}
            onClick={() => {
              chooseRun(run).catch(showAlert);
            }}
          >
            {shown ? 'Shown' : 'Show'}
          </button>
          <button
            type="button"
            class="button button--small button--quiet"
            aria-label={`ONNX file of ${run.title}`}
            onClick={() => {
              downloadRun(run).catch(showAlert);
            }}
          >
            ONNX
          </button>
          <button
            type="button"
            class="button button--small button--quiet"
            aria-label={`Layers of ${run.title} as CSV`}
            onClick={() => {
              exportLayers(run);
            }}
          >
            CSV
          </button>
          <button
            type="button"
            class="button button--small button--quiet"
            aria-label={`Delete ${run.title}`}
            onClick={() => {
              removeRun(run).catch(showAlert);
            }}
          >
            Delete
          </button>
        </div>
      </td>
    </tr>
  );
}

function RoomQuestion() {
  const question = roomQuestion.value;
  if (question === undefined) return null;
  const { oldest, answer } = question;
  const names = oldest.map(({ title }) => `“${title}”`).join(', ');
  return (
    <div class="alert alert--question" role="alertdialog" aria-label="Room for runs">
      <p>
        The runs have filled their {formatBytes(MAX_RUN_BYTES)}. To keep the new one, the oldest must go: {names}.
      </p>
      <div class="row">
        <button
          type="button"
          class="button button--primary"
          onClick={() => {
            answer(true);
          }}
        >
          Delete {oldest.length === 1 ? 'it' : 'them'}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            answer(false);
          }}
        >
          Do not keep the new one
        </button>
      </div>
    </div>
  );
}
