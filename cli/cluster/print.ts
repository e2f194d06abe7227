// What the cluster's subcommands write to stdout: columns as kubectl aligns them, JSON and YAML. Neighbours: cli/cluster/{list,watch,stop,fetch}.ts.

import type { Format } from './flags.ts';
import { fullName, type JobView, viewOf } from './job.ts';
import { age } from './words.ts';

/** An object, as asked for; without a format, nothing. */
export async function printObject(object: unknown, format: Format | undefined): Promise<void> {
  if (format === 'name') process.stdout.write(`${fullName(viewOf(object))}\n`);
  if (format === 'json') process.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
  if (format === 'yaml') process.stdout.write(await yamlOf(object));
}

export async function yamlOf(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

interface Column {
  title: string;
  of: (job: JobView, now: number) => string;
}

const columns: Column[] = [
  { title: 'NAME', of: (job) => job.name },
  { title: 'TRACE', of: (job) => job.trace },
  { title: 'PHASE', of: (job) => job.phase },
  { title: 'PODS', of: ({ phase, pods }) => (phase === '' ? '' : String(pods.traced)) },
  { title: 'NODES', of: ({ phase, nodes }) => (phase === '' ? '' : String(nodes.matched)) },
  { title: 'HEADLINE', of: (job) => job.headline },
  { title: 'AGE', of: (job, now) => age(now - job.createdAt) },
];
const wide: Column[] = [
  { title: 'RECORDED', of: ({ events }) => (events === undefined ? '' : String(events.recorded)) },
  { title: 'LOST', of: ({ events }) => (events === undefined ? '' : String(events.lost)) },
  { title: 'CPU', of: ({ overhead }) => overhead?.cpu ?? '' },
  { title: 'MEMORY', of: ({ overhead }) => overhead?.memory ?? '' },
];

export interface TableOptions {
  now: number;
  /** A column NAMESPACE in front. */
  namespaces: boolean;
  wide: boolean;
  headers: boolean;
}

/** Cells come from viewOf: safe in a terminal, without line breaks. */
export function jobTable(jobs: readonly JobView[], options: TableOptions): string {
  const shown = [
    ...(options.namespaces ? [{ title: 'NAMESPACE', of: (job: JobView) => job.namespace ?? '' }] : []),
    ...columns.slice(0, -1),
    ...(options.wide ? wide : []),
    ...columns.slice(-1),
  ];
  // Kinds are mixed only where there are both: then a name says its kind, as kubectl does it.
  const mixed = new Set(jobs.map(({ kind }) => kind)).size > 1;
  const cell = ({ title, of }: Column, job: JobView) => {
    const text = of(job, options.now);
    return title === 'NAME' && mixed ? fullName(job) : text;
  };
  const rows = jobs.map((job) => shown.map((column) => cell(column, job)));
  return alignRows([...(options.headers ? [shown.map(({ title }) => title)] : []), ...rows]);
}

/** Three spaces between, as kubectl has it; nothing behind the last. */
export function alignRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, index) => text.padEnd(widths[index] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
