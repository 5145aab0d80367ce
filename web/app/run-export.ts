// Taking runs away: ONNX files, and tables for a spreadsheet.
import { saveFile } from '../ui/save-file.js';
import { type Run } from './run-store.js';
import { fileOf } from './runs.js';

export async function downloadRun(run: Run): Promise<void> {
  saveFile(await fileOf(run), `${stem(run.network)}.4bit.onnx`, 'application/octet-stream');
}

/** The layers of a run, one a line. */
export function exportLayers(run: Run): void {
  const rows = run.report.layers.map((layer) => [
    layer.name,
    layer.op,
    layer.shape.join('x'),
    layer.weights,
    layer.bits,
    layer.samples,
    layer.bandwidth,
    layer.sqnrDb,
    layer.bytes,
    layer.compensation,
    layer.levels.join(' '),
  ]);
  const header = 'layer,op,shape,weights,bits,samples,bandwidth,sqnr_db,bytes,compensation,levels'.split(',');
  saveFile(csv([header, ...rows]), `${stem(run.network)}.layers.csv`, 'text/csv');
}

/** All runs, one a line. */
export function exportRuns(runs: readonly Run[]): void {
  const header = [
    ...'network,run,made,bytes_in,bytes_out,seconds,weights_sampled,weights_scanned,sqnr_db'.split(','),
    ...'photos,same_answer,settings'.split(','),
  ];
  const rows = runs.map((run) => [
    run.network,
    run.title,
    run.made,
    run.report.bytesIn,
    run.report.bytesOut,
    run.report.seconds,
    run.report.weightsSampled,
    run.report.weightsScanned,
    sqnrOf(run),
    run.agreement?.of,
    run.agreement?.same,
    JSON.stringify(run.settings),
  ]);
  saveFile(csv([header, ...rows]), 'kdequant-runs.csv', 'text/csv');
}

/** Mean over the layers with levels, in decibels. */
export function sqnrOf({ report }: Run): number | undefined {
  const values = report.layers.flatMap(({ sqnrDb, levels }) =>
    sqnrDb === null || levels.length === 0 ? [] : [sqnrDb],
  );
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function stem(name: string): string {
  return name.replace(/\.onnx$/i, '').toLowerCase();
}

type Cell = string | number | null | undefined;

function csv(rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell): string => {
    const written = String(value ?? '');
    return /[",\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
  };
  return `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
