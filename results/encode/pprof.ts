// profile.pb.gz: stacks as a pprof profile, which `go tool pprof`, speedscope, Pyroscope and Parca read.
// Neighbours: results/publish.ts. Held in memory while it is built: distinct frames and stacks, not samples.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  type LabelInput,
  Line,
  Location,
  Mapping,
  Profile,
  Function as ProfileFunction,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import { keyColumns } from '../columns.ts';
import { condensedNote } from '../condensed.ts';
import { escapeTerminal } from '../escape.ts';
import type { Column, ResultMeta, Row, StackFrame, Value, ValueColumn } from '../shape.ts';
import type { ResultView } from '../view.ts';

/** Key columns become labels (`container`, `pod`, `process`; `pid` as a number). Where samples were taken at a known frequency, `cpu` in nanoseconds stands beside them. */
export async function encodePprof(view: ResultView): Promise<Uint8Array> {
  const { meta } = view;
  const strings = new StringTable();
  const tables = frameTables(strings);
  const weights = meta.shape.kind === 'stacks' ? meta.shape.weights : [];
  const period = periodOf(meta, weights);
  const columns = keyColumns(meta.shape);
  const samples: Sample[] = [];
  for await (const row of view.rows()) {
    if (row.kind !== 'stacks') continue;
    samples.push(
      new Sample({
        locationId: tables.locations(row.frames),
        value: valuesOf(row, period),
        label: columns.flatMap((column, i) => labelOf(strings, column, row.key[i] ?? null)),
      }),
    );
  }
  const cpu = () => new ValueType({ type: strings.dedup('cpu'), unit: strings.dedup('nanoseconds') });
  const note = view.condensed && condensedNote(meta, view.condensed);
  const profile = new Profile({
    ...(note === undefined ? {} : { comment: [strings.dedup(note)] }),
    sampleType: [
      ...weights.map((weight) => valueType(strings, weight)),
      ...(period === undefined ? [] : [cpu()]),
    ],
    sample: samples,
    mapping: tables.mapping,
    location: tables.location,
    function: tables.functions,
    stringTable: strings,
    timeNanos: meta.startTime,
    durationNanos: meta.completionTime - meta.startTime,
    ...(period === undefined ? {} : { periodType: cpu(), period }),
  });
  return promisify(gzip)(profile.encode());
}

/** ns between two samples, where samples are what was counted. */
function periodOf(meta: ResultMeta, weights: readonly ValueColumn[]): bigint | undefined {
  const { frequencyHz } = meta.trace.parameters;
  if (weights.length !== 1 || weights[0]?.unit !== 'samples') return undefined;
  if (typeof frequencyHz !== 'number' || !(frequencyHz > 0)) return undefined;
  return BigInt(Math.round(1e9 / frequencyHz));
}

function valuesOf(row: Row & { kind: 'stacks' }, period: bigint | undefined): bigint[] {
  const values = row.value.map(clamped);
  return period === undefined ? values : [...values, clamped((row.value[0] ?? 0n) * period)];
}

/** pprof's values are signed 64-bit. */
function clamped(value: bigint): bigint {
  const most = (1n << 63n) - 1n;
  if (value > most) return most;
  return value;
}

const units = new Map<string | undefined, string>([
  ['ns', 'nanoseconds'],
  ['bytes', 'bytes'],
]);

function valueType(strings: StringTable, column: ValueColumn): ValueType {
  const type = column.name.replace(/(?<=.)(Ns|Bytes)$/, '');
  return new ValueType({ type: strings.dedup(type), unit: strings.dedup(units.get(column.unit) ?? 'count') });
}

function labelOf(strings: StringTable, column: Column, value: Value): LabelInput[] {
  if (value === null) return [];
  const key = strings.dedup(column.name);
  if (typeof value === 'number' || typeof value === 'bigint')
    return [{ key, num: value, numUnit: strings.dedup(column.unit ?? '') }];
  return [{ key, str: nameIn(strings, Array.isArray(value) ? value.join(' ') : String(value)) }];
}

/** A traced process's text: `pprof` prints it to terminals as it is. */
function nameIn(strings: StringTable, text: string): number {
  return strings.dedup(escapeTerminal(text));
}

/** Functions, mappings and locations, each once. A location is a function with those that were inlined into it. */
function frameTables(strings: StringTable) {
  const mapping: Mapping[] = [];
  const location: Location[] = [];
  const functions: ProfileFunction[] = [];
  const known = new Map<string, number>();
  /** Equal frames of a run are the same object (results/stack-lines.ts). */
  const single = new WeakMap<StackFrame, number>();

  function once(key: string, make: () => number): number {
    const id = known.get(key);
    if (id !== undefined) return id;
    const made = make();
    known.set(key, made);
    return made;
  }

  function functionId({ name, file }: StackFrame): number {
    return once(JSON.stringify(['f', name, file]), () => {
      const id = functions.length + 1;
      const text = nameIn(strings, name);
      functions.push(
        new ProfileFunction({
          id,
          name: text,
          systemName: text,
          filename: nameIn(strings, file ?? ''),
        }),
      );
      return id;
    });
  }

  function mappingId(frame: StackFrame): number {
    const module =
      frame.kind === 'kernel' ? '[kernel]' : frame.kind === 'jit' ? '[jit]' : (frame.module ?? '[unknown]');
    return once(JSON.stringify(['m', module]), () => {
      const id = mapping.length + 1;
      // All that could be resolved has been: pprof must not look for the files itself.
      const resolved = {
        hasFunctions: true,
        hasFilenames: true,
        hasLineNumbers: true,
        hasInlineFrames: true,
      };
      mapping.push(new Mapping({ id, filename: nameIn(strings, module), ...resolved }));
      return id;
    });
  }

  /** Frames of one location, outermost first; pprof wants the innermost first. */
  function locationId(frames: StackFrame[]): number {
    const [only] = frames;
    const known = frames.length === 1 && only ? single.get(only) : undefined;
    if (known !== undefined) return known;
    const id = newLocationId(frames);
    if (frames.length === 1 && only) single.set(only, id);
    return id;
  }

  function newLocationId(frames: StackFrame[]): number {
    const outer = frames[0] as StackFrame;
    const lines = frames.map((frame) => ({ functionId: functionId(frame), line: frame.line ?? 0 })).reverse();
    const mappingOf = mappingId(outer);
    return once(JSON.stringify(['l', mappingOf, lines]), () => {
      const id = location.length + 1;
      location.push(new Location({ id, mappingId: mappingOf, line: lines.map((line) => new Line(line)) }));
      return id;
    });
  }

  return {
    mapping,
    location,
    functions,
    /** Innermost first. */
    locations(frames: readonly StackFrame[]): number[] {
      const groups: StackFrame[][] = [];
      for (const frame of frames) {
        const last = groups.at(-1);
        if (frame.kind === 'inlined' && last) last.push(frame);
        else groups.push([frame]);
      }
      return groups.map(locationId).reverse();
    },
  };
}
