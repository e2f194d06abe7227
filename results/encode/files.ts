// Which files a result of each shape has, in the order in which they are written: what can't be made again from the others comes first.
// Neighbours: results/publish.ts writes them, results/schema.ts documents them.

import { createReadStream } from 'node:fs';
import { condensedNote, rowsFile } from '../condensed.ts';
import type { Digest } from '../digest.ts';
import { headline } from '../headline.ts';
import type { LineWriter } from '../lines.ts';
import { renderFlamegraph } from '../render/flamegraph.ts';
import { renderReport } from '../render/report.ts';
import { renderSummary } from '../render/summary.ts';
import type { Shape, StacksShape } from '../shape.ts';
import { buildTree } from '../tree.ts';
import type { ResultView } from '../view.ts';
import { levelsOf, writeFolded } from './folded.ts';
import { eventsFile, packetsFile, writeJson } from './json.ts';
import { writePcapng } from './pcapng.ts';
import { encodePprof } from './pprof.ts';
import { writeHistogram, writeTable } from './table.ts';

/** What a file is made from. */
export interface Published {
  view: ResultView;
  digest: Digest;
  /** The run's own file. */
  rows: string;
}

export interface ResultFile {
  name: string;
  mediaType: string;
  description: string;
  /** Shapes that have it; absent: all. */
  shapes?: readonly Shape['kind'][];
  /** The run's file becomes this one: linked where the file system can, else copied. */
  link?: true;
  /** Only results that have too many rows for the other files have it. */
  condensed?: true;
  write: (from: Published, writer: LineWriter) => Promise<void>;
}

export const resultFiles: readonly ResultFile[] = [
  {
    name: eventsFile,
    mediaType: 'application/x-ndjson',
    description: 'Every event, one JSON object per line, in time order.',
    shapes: ['events'],
    link: true,
    async write({ rows }, writer) {
      for await (const chunk of createReadStream(rows) as AsyncIterable<Buffer>) await writer.write(chunk);
    },
  },
  {
    name: packetsFile,
    mediaType: 'application/x-pcapng',
    description:
      'Every packet, in time order, for Wireshark, tshark and tcpdump: an interface for each pod, with its name; nanoseconds.',
    shapes: ['packets'],
    write: ({ view, rows }, writer) => writePcapng(view.meta, rows, writer),
  },
  {
    name: rowsFile,
    mediaType: 'application/zstd',
    description:
      'Only of results with more than 25,000 stacks, of which the other files show the heaviest: every row. `zstd -dc` gives lines of JSON: `{"key":[…]}` whose the rows below it are (`"frames":0`: frames are numbered anew), `["name","kind","module","file",line]` a frame, numbered from 0, `[3,[12,7],[41]]` a row: the first 3 frames of the row above, then frames 12 and 7, its weights.',
    shapes: ['stacks'],
    link: true,
    condensed: true,
    async write({ rows }, writer) {
      for await (const chunk of createReadStream(rows) as AsyncIterable<Buffer>) await writer.write(chunk);
    },
  },
  {
    name: 'result.json',
    mediaType: 'application/json',
    description: 'The whole result in the form that this page documents.',
    write: ({ view, digest }, writer) => writeJson(view, digest, writer),
  },
  {
    name: 'summary.txt',
    mediaType: 'text/plain; charset=utf-8',
    description: 'What a person reads first: headline, where and when, top rows, losses, overhead.',
    async write({ view, digest }, writer) {
      await writer.write(renderSummary(view.meta, digest, view.condensed));
    },
  },
  {
    name: 'table.csv',
    mediaType: 'text/csv; charset=utf-8; header=present',
    description:
      'All rows (RFC 4180), units in the column names. Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a return) has an apostrophe before it; result.json has it exact.',
    shapes: ['table'],
    write: ({ view }, writer) => writeTable(view, writer),
  },
  {
    name: 'histogram.csv',
    mediaType: 'text/csv; charset=utf-8; header=present',
    description: 'A line per bucket that is not empty: the keys, from (inclusive), to (exclusive), count.',
    shapes: ['histogram'],
    write: ({ view }, writer) => writeHistogram(view, writer),
  },
  {
    name: 'stacks.folded',
    mediaType: 'text/plain; charset=utf-8',
    description:
      'A line per stack, `container;process-pid;function;… weight`, outermost function first, for flamegraph.pl, inferno and speedscope. Suffixes: `_[k]` kernel, `_[j]` compiled at run time, `_[i]` inlined. A `;` in a name is written `:`.',
    shapes: ['stacks'],
    write: ({ view }, writer) => writeFolded(view, writer),
  },
  {
    name: 'profile.pb.gz',
    mediaType: 'application/vnd.google.protobuf+gzip',
    description:
      'The stacks for `go tool pprof` and whatever reads pprof; the key columns are labels (`-tagfocus container=api`).',
    shapes: ['stacks'],
    async write({ view }, writer) {
      await writer.write(await encodePprof(view));
    },
  },
  {
    name: 'flamegraph.svg',
    mediaType: 'image/svg+xml',
    description: 'The flame graph as one picture; in a browser it zooms and searches.',
    shapes: ['stacks'],
    async write({ view }, writer) {
      const shape = view.meta.shape as StacksShape;
      const tree = await buildTree(view.rows(), { shape, levels: levelsOf(shape) });
      await writer.write(
        renderFlamegraph(
          tree,
          view.meta,
          view.condensed && { note: condensedNote(view.meta, view.condensed) },
        ),
      );
    },
  },
  {
    name: 'report.html',
    mediaType: 'text/html; charset=utf-8',
    description: 'One page without network access: flame graph, tables, histograms, losses and overhead.',
    write: ({ view, digest }, writer) =>
      renderReport(view, async (chunk) => writer.write(chunk), { headline: headline(view.meta, digest) }),
  },
];

/** The files of a shape. */
export function filesOf(shape: Shape, condensed = false): ResultFile[] {
  return resultFiles.filter(
    (file) =>
      (file.shapes === undefined || file.shapes.includes(shape.kind)) &&
      (condensed || file.condensed !== true),
  );
}
