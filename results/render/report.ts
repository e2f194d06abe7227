// Writes report.html: one file that shows a whole result and asks the network for nothing. Neighbours: report-body.ts gives the data by shape,
// report-data.ts is their format, browser/ is the page's code, assets.ts finds it.

import { keyColumns, ownerName, valueColumns } from '../columns.ts';
import { rowsFile } from '../condensed.ts';
import { escapeHtml } from '../escape.ts';
import type { Column, Shape, ValueColumn } from '../shape.ts';
import type { ResultView } from '../view.ts';
import { asset, policyHash } from './assets.ts';
import { scriptJson } from './pack.ts';
import { type BodyLimits, writeBody } from './report-body.ts';
import type { DataColumn, ReportHead } from './report-data.ts';

export interface ReportOptions {
  /** The one line that stands over everything. */
  headline: string;
  /** How much is embedded; see BodyLimits for what is usual. */
  limits?: Partial<BodyLimits>;
}

/** Which file beside the report has every row. */
const complete: Record<Shape['kind'], string> = {
  stacks: 'stacks.folded',
  table: 'table.csv',
  histogram: 'histogram.csv',
  events: 'events.jsonl',
  packets: 'capture.pcapng',
};

function dataColumns(shape: Shape): DataColumn[] {
  const ownerNames = new Set(['node', 'namespace', 'pod', 'container']);
  const pack = (column: Column | ValueColumn, role: DataColumn['role']): DataColumn => {
    const { name, type, description } = column;
    const data: DataColumn = { name, type, description, role };
    if (column.unit !== undefined) data.unit = column.unit;
    if ('fold' in column) data.fold = column.fold;
    return data;
  };
  return [
    ...keyColumns(shape).map((column) => pack(column, ownerNames.has(column.name) ? 'owner' : 'key')),
    ...valueColumns(shape).map((column) => pack(column, 'value')),
  ];
}

function headOf({ meta, condensed }: ResultView, headline: string): ReportHead {
  const { events, overhead } = meta;
  const nodes = new Set([...meta.owners, ...meta.attached].map((each) => each.node));
  return {
    version: 1,
    headline,
    job: { name: meta.job.name, namespace: meta.job.namespace },
    trace: meta.trace,
    startTime: meta.startTime.toString(),
    completionTime: meta.completionTime.toString(),
    ended: meta.ended,
    shape: meta.shape,
    columns: dataColumns(meta.shape),
    nodes: [...nodes].sort(),
    owners: meta.owners.length,
    events: {
      seen: events.seen.toString(),
      recorded: events.recorded.toString(),
      lost: events.lost.toString(),
      sampledBy: events.sampledBy,
      losses: events.losses.map((loss) => ({
        owner: `${ownerName(loss.owner)} on ${loss.owner.node}`,
        reason: loss.reason,
        count: loss.count.toString(),
      })),
    },
    overhead: {
      programsCpuNs: overhead.programsCpuNs.toString(),
      agentCpuNs: overhead.agentCpuNs.toString(),
      memoryBytes: overhead.memoryBytes.toString(),
      hits: overhead.hits.toString(),
    },
    attached: meta.attached,
    warnings: meta.warnings,
    complete: condensed ? rowsFile : complete[meta.shape.kind],
  };
}

/** Writes the page through `write`, in order, awaiting each call. Events stream: memory does not grow with their number; tables, histograms
 *  and stacks hold what is embedded. Throws Error where dist/report.js was not built, and whatever `write` and the rows throw. */
export async function renderReport(
  view: ResultView,
  write: (chunk: string) => Promise<void> | void,
  options: ReportOptions,
): Promise<void> {
  const script = asset('report.js');
  const style = asset('report.css');
  const title = escapeHtml(`${options.headline} · ${view.meta.trace.name} · Sonde`, 300);
  const policy = `default-src 'none'; script-src ${policyHash(script)}; style-src ${policyHash(style)}; base-uri 'none'; form-action 'none'`;
  const data = (name: string, value: unknown) =>
    `<script type="application/json" class="sonde-${name}">${scriptJson(value)}</script>\n`;
  await write(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<div id="sonde"><h1>${escapeHtml(options.headline, 2000)}</h1>
<noscript><p>This report is drawn by a script inside this file, which this viewer does not run. summary.txt beside it says the same in words.</p></noscript></div>
`);
  await write(data('head', headOf(view, options.headline)));
  const foot = await writeBody(view, (block) => write(data('block', block)), options.limits ?? {});
  await write(data('foot', foot));
  await write(`<script>${script}</script>\n</body>\n</html>\n`);
}
