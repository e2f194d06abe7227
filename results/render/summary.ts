// summary.txt: what a person reads first, in a terminal: the headline, where and when, the top rows, and what is missing or was paid for them.
// Neighbours: results/digest.ts (what it says), results/render/summary-body.ts (each shape's rows), results/publish.ts.

import { ownerName } from '../columns.ts';
import { type Condensed, condensedNote } from '../condensed.ts';
import type { Digest } from '../digest.ts';
import { escapeTerminal } from '../escape.ts';
import { headline } from '../headline.ts';
import type { LossReason, Owner, ResultMeta } from '../shape.ts';
import { formatAmount, formatCount, formatShare, formatTime } from '../units.ts';
import { bodyLines } from './summary-body.ts';

/** Lines kept of lists that may be long. */
const longest = 12;

/** The whole page, with a newline at its end. All text of traced processes is escaped for terminals. */
export function renderSummary(meta: ResultMeta, digest: Digest, condensed?: Condensed): string {
  const sections = [
    [headline(meta, digest)],
    [
      ...field('Trace', [traceLine(meta)]),
      ...field('When', [whenLine(meta)]),
      ...field('Where', meta.owners.map(place)),
      ...field('Attached', attachedLines(meta)),
    ],
    bodyLines(meta, digest),
    [
      ...(condensed ? field('Files', [condensedNote(meta, condensed)]) : []),
      ...field('Events', [eventsLine(meta)]),
      ...field('Lost', lossLines(meta)),
      ...field('Overhead', [overheadLine(meta)]),
      ...field(
        'Warnings',
        meta.warnings.map(({ node, reason, message }) => `${node}: ${reason}: ${message}`),
      ),
    ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A name, then its lines under each other; nothing for no lines. */
function field(name: string, lines: readonly string[]): string[] {
  const shown = lines.length > longest ? lines.slice(0, longest - 1) : lines;
  const more = shown.length < lines.length ? [`and ${lines.length - shown.length} more`] : [];
  return [...shown, ...more].map(
    (line, i) => `${(i === 0 ? name : '').padEnd(10)}${escapeTerminal(line, 400)}`,
  );
}

function traceLine({ trace, job }: ResultMeta): string {
  const given = Object.entries(trace.parameters)
    .filter(([, value]) => saysSomething(value))
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const parameters = given.length > 0 ? ` (${given.join(', ')})` : '';
  return `${trace.name}${parameters}, job ${job.namespace === null ? '' : `${job.namespace}/`}${job.name}`;
}

/** Defaults that mean "not chosen" would hide those that were. */
function saysSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== '' && value !== false && value !== null && value !== undefined;
}

const endings: Record<ResultMeta['ended'], string> = {
  Duration: 'until its time was over',
  CommandExited: 'until the command ended',
  TargetGone: 'until nothing was left to trace',
  Stopped: 'until it was stopped',
  Budget: 'until its budget was spent',
  Failed: 'until it failed',
};

function whenLine({ startTime, completionTime, ended }: ResultMeta): string {
  const from = formatTime(startTime).slice(0, 19).replace('T', ' ');
  return `${from} UTC, ${formatAmount(completionTime - startTime, 'ns')}, ${endings[ended]}`;
}

function place(owner: Owner): string {
  const name = ownerName(owner);
  return name === owner.node ? name : `${name} on ${owner.node}`;
}

function attachedLines({ attached }: ResultMeta): string[] {
  const nodes = new Map<string, Set<string>>();
  for (const { node, program, hook } of attached) {
    const line = `${program} at ${hook}`;
    nodes.set(line, (nodes.get(line) ?? new Set()).add(node));
  }
  return [...nodes].map(([line, on]) => (on.size > 1 ? `${line} on ${on.size} nodes` : line));
}

function eventsLine({ events }: ResultMeta): string {
  const parts = [`${formatCount(events.seen)} seen, ${formatCount(events.recorded)} recorded`];
  if (events.lost > 0n)
    parts.push(
      `${formatCount(events.lost)} lost (${formatShare(events.lost, events.recorded + events.lost)})`,
    );
  if (events.sampledBy > 1)
    parts.push(`one of ${formatCount(events.sampledBy)} was sampled: counts stand for as many times more`);
  return parts.join(', ');
}

const reasons: Record<LossReason, string> = {
  RingFull: 'the ring buffer was full',
  MapFull: 'the kernel map was full: more distinct keys than it holds',
  Budget: "the job's budget was spent",
  Sampled: 'left out by sampling',
  StackUnavailable: 'the stack could not be read',
  DiskFull: 'the disk was full',
  Rate: 'this container sent more than its share',
};

function lossLines({ events }: ResultMeta): string[] {
  return events.losses.map(
    ({ owner, reason, count }) => `${formatCount(count)} in ${place(owner)}: ${reasons[reason]} (${reason})`,
  );
}

function overheadLine({ overhead, startTime, completionTime }: ResultMeta): string {
  const { programsCpuNs, agentCpuNs, memoryBytes, hits } = overhead;
  const each =
    hits > 0n ? `, ${formatAmount(programsCpuNs / hits, 'ns')} for each of ${formatCount(hits)} hits` : '';
  const time = completionTime - startTime;
  const share = time > 0n ? `; together ${cpuShare(programsCpuNs + agentCpuNs, time)} of one CPU` : '';
  return `programs ${formatAmount(programsCpuNs, 'ns')}${each}; agent ${formatAmount(agentCpuNs, 'ns')}${share}; memory ${formatAmount(memoryBytes, 'bytes')}`;
}

function cpuShare(cpu: bigint, time: bigint): string {
  return `${(Number((cpu * 10_000n) / time) / 100).toFixed(2)}%`;
}
