// The results of a program's run: printf's records as events while it runs, its maps as tables and stacks at its end. Each is a run of one shape with
// its head, as a gadget's session gives one. Neighbours: programs/declare.ts (which), agent/program-session.ts, results/publish.ts (the files).

import { join } from 'node:path';
import type { HitCost } from '../bpf/gadget.ts';
import type { BpfObject, Native } from '../native/api.ts';
import type { Compiled } from '../programs/compiled.ts';
import { type Declared, declare, eventValues, rowsOf } from '../programs/declare.ts';
import type { RecordBatch, RecordReader } from '../programs/show/records.ts';
import { type LineWriter, openWriter } from '../results/lines.ts';
import { encodeRow } from '../results/row-json.ts';
import { writeRun } from '../results/run.ts';
import type { EventsShape, ResultMeta, Row, Shape, Value } from '../results/shape.ts';
import { sortRows } from '../results/sort.ts';
import { lossesOf } from './collect.ts';
import { withOwners } from './columns.ts';
import { type Meter, startMeter } from './overhead.ts';
import { type Owners, ownersOf } from './owners.ts';
import type { Target } from './plan.ts';
import type { ProgramMaps } from './program-maps.ts';
import type { ProgramNames } from './program-names.ts';

export interface ResultsRequest {
  job: ResultMeta['job'];
  node: string;
  /** A folder of this run's own. */
  spool: string;
}

/** One result: in a folder of that name, where there are several. */
export interface ProgramResult {
  name: string;
  meta: ResultMeta;
  rows: string;
}

/** What a hit of a program costs: between that of a gadget's counter and of its events; not calibrated for each program. */
const hitCost: HitCost = { outsideNs: 60, insideNs: 250 };

export interface ResultsCollector {
  /** Of printf; in order of time. */
  keep(batch: RecordBatch): Promise<void>;
  /** Everything; the programs are detached. */
  finish(end: {
    startTime: bigint;
    completionTime: bigint;
    ended: ResultMeta['ended'];
  }): Promise<ProgramResult[]>;
  close(): void;
}

export interface CollectorOptions {
  native: Native;
  object: BpfObject;
  compiled: Compiled;
  source: { name: string; text: string };
  targets: readonly Target[];
  reader: RecordReader;
  maps: ProgramMaps;
  names: ProgramNames;
  request: ResultsRequest;
}

export function collectResults(options: CollectorOptions): ResultsCollector {
  const { native, object, compiled, reader, names, request } = options;
  const owners = programOwners(options);
  const declared = declare(compiled);
  const events = declared.find(({ map }) => map === null);
  const meter: Meter = startMeter(native, object, hitCost);
  const { monotonic, realtime } = native.clocks();
  const eventsPath = join(request.spool, 'printf.jsonl');
  let writer: Promise<LineWriter> | undefined;
  let printed = 0n;

  const eventRow = (shape: EventsShape, batch: RecordBatch, row: number): Row | undefined => {
    const one = reader.printed(batch, row);
    const owner = owners.of(batch.container[row] ?? 0n);
    if (one === undefined || owner === null) return undefined;
    const { offsets, bytes } = batch.process;
    const process = Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString();
    const time = (batch.time[row] ?? 0n) + realtime - monotonic;
    return {
      kind: 'events',
      key: [time, owner.node, owner.namespace, owner.pod, owner.container],
      value: [process, BigInt(batch.pid[row] ?? 0), ...eventValues(shape.columns, one.text, one.values)],
    };
  };

  return {
    async keep(batch) {
      if (events?.shape.kind !== 'events') return;
      const { shape } = events;
      const whole = withOwners(shape);
      writer ??= openWriter(eventsPath);
      const open = await writer;
      const rows = await names.named(() =>
        Array.from({ length: batch.rows }, (_, row) => eventRow(shape, batch, row)),
      );
      for (const row of rows) {
        if (row === undefined) continue;
        printed++;
        const flushed = open.write(`${encodeRow(whole, row)}\n`);
        if (flushed) await flushed;
      }
    },
    async finish(end) {
      const measured = meter.measure();
      const losses = lossesOf({ object, owners });
      const results: ProgramResult[] = [];
      for (const each of declared) {
        const { rows, count } = await writeRows(each);
        const lost = losses.reduce((sum, loss) => sum + loss.count, 0n);
        results.push({
          name: each.name,
          rows,
          meta: {
            job: request.job,
            trace: {
              name: 'program',
              parameters: { source: options.source.text, result: each.map?.name ?? 'printf' },
            },
            ...end,
            shape: withOwners(each.shape),
            owners: owners.all(),
            events: { seen: count + lost, recorded: count, lost, sampledBy: 1, losses },
            overhead: {
              programsCpuNs: measured.programsCpuNs,
              agentCpuNs: measured.agentCpuNs,
              memoryBytes: measured.memoryBytes,
              hits: measured.hits,
            },
            attached: compiled.probes.map(({ program, name }) => ({
              node: request.node,
              program,
              hook: name,
            })),
            warnings: [],
          },
        });
      }
      return results;
    },
    close() {
      meter.close();
      void writer?.then((open) => open.abort()).catch(() => undefined);
    },
  };

  async function writeRows({ name, map, shape }: Declared): Promise<{ rows: string; count: bigint }> {
    if (map === null) {
      const open = await (writer ?? openWriter(eventsPath));
      writer = undefined;
      await open.end();
      return { rows: eventsPath, count: printed };
    }
    const rows = await names.named(() =>
      rowsOf(map, options.maps.owned(map, names), ownerColumns(owners), names),
    );
    const path = join(request.spool, `${name}.jsonl`);
    const whole = withOwners(shape);
    await writeRun(path, whole, sortRows(whole, rows, { scratch: request.spool }));
    return { rows: path, count: eventsIn(rows, whole) };
  }
}

/** What was counted, where the map counts; else a row is one. */
function eventsIn(rows: readonly Row[], shape: Shape): bigint {
  const columns = shape.kind === 'table' ? shape.values : shape.kind === 'stacks' ? shape.weights : [];
  const index = columns.findIndex(({ name }) => name === 'count');
  if (index < 0) return BigInt(rows.length);
  return rows.reduce(
    (sum, row) => sum + (row.kind === 'table' || row.kind === 'stacks' ? (row.value[index] ?? 0n) : 1n),
    0n,
  );
}

function ownerColumns(owners: Owners): (scope: bigint) => Value[] | null {
  return (scope) => {
    const owner = owners.of(scope);
    return owner && [owner.node, owner.namespace, owner.pod, owner.container];
  };
}

/** A map that the program reads tells no containers apart; with one target it can only be that one's. */
function programOwners({ request, targets }: CollectorOptions): Owners {
  const owners = ownersOf({ node: request.node, targets: [...targets] });
  const [only, ...others] = owners.all();
  if (only === undefined || others.length > 0) return owners;
  return { ...owners, of: () => only };
}
