// What a program's records say, in their order: text that can be written at once, and actions that need the node (maps, symbols, files).
// Pure: runs in a worker for the many records of printf. Neighbours: programs/compiled.ts (Output), agent/program-records.ts.

import type { Compiled, Field, Output } from '../compiled.ts';
import type { Type } from '../types.ts';
import { jsonOf, jsonText } from './json.ts';
import { format as applyFormat, type Format, parseFormat } from './printf.ts';
import { textOf } from './text.ts';
import { type Names, readValue, type Shown } from './value.ts';

/** Columns of the ring's records (struct program_record). */
export interface RecordBatch {
  rows: number;
  time: BigUint64Array;
  what: Uint32Array;
  /** The payload of row i: bytes[offsets[i]..offsets[i+1]). */
  offsets: Uint32Array;
  bytes: Uint8Array;
  /** Whose it is: the scope id, and the process. */
  container: BigUint64Array;
  pid: Uint32Array;
  process: { offsets: Uint32Array; bytes: Uint8Array };
}

export type Segment =
  | { kind: 'text'; text: string }
  /** To be done with the row's record. */
  | { kind: 'action'; row: number };

/** What one record asks, with its arguments read. */
export type Asked =
  | { kind: 'text'; text: string }
  | {
      kind: 'message';
      severity: 'error' | 'warning';
      text: string;
      output: Output & { kind: 'errorf' | 'warnf' };
    }
  | { kind: 'cat'; path: string }
  | { kind: 'printMap'; output: Output & { kind: 'printMap' } }
  | { kind: 'printMapEntry'; map: string; keys: Shown[] }
  | { kind: 'clear' | 'zero'; map: string }
  | { kind: 'exit'; code: number }
  | { kind: 'helperError'; output: Output & { kind: 'helperError' }; error: number };

type Program = Pick<Compiled, 'outputs'>;

export interface RecordReader {
  /** All rows, as far as they are text; neighbours are one segment. */
  segments(batch: RecordBatch, from: number): Segment[];
  /** One row. */
  asked(batch: RecordBatch, row: number): Asked;
  /** A row of printf: its text and its arguments; undefined: it is none. */
  printed(batch: RecordBatch, row: number): { text: string; values: Shown[] } | undefined;
}

/** format: of the output. names: of what `plain` allows only what needs no node. */
export function recordReader(program: Program, output: 'text' | 'json', names: Names): RecordReader {
  const places = program.outputs.map((each) => placeOf(each));
  let room = new Uint8Array(1024);
  let view = new DataView(room.buffer);

  /** The payload, followed by zeros: a record ends where its text does. */
  const open = (batch: RecordBatch, row: number, size: number): number => {
    const start = batch.offsets[row] ?? 0;
    const end = batch.offsets[row + 1] ?? start;
    if (room.length < Math.max(size, end - start)) {
      room = new Uint8Array(Math.max(size, end - start) * 2);
      view = new DataView(room.buffer);
    }
    room.set(batch.bytes.subarray(start, end));
    room.fill(0, end - start, Math.max(size, end - start));
    return end - start;
  };
  const read = (field: Field): Shown => readValue(field.type, view, field.offset, names);

  const asked = (batch: RecordBatch, row: number): Asked => {
    const place = places[batch.what[row] ?? -1];
    if (place === undefined) return { kind: 'text', text: '' };
    const length = open(batch, row, place.size);
    const out = place.output;
    switch (out.kind) {
      case 'printf': {
        const text = applyFormat(place.format, out.arguments.map(read));
        return { kind: 'text', text: output === 'json' ? line('printf', jsonText(text)) : text };
      }
      case 'errorf':
      case 'warnf': {
        const text = applyFormat(place.format, out.arguments.map(read));
        return {
          kind: 'message',
          severity: out.kind === 'errorf' ? 'error' : 'warning',
          text,
          output: { ...out, kind: out.kind },
        };
      }
      case 'cat':
        return { kind: 'cat', path: applyFormat(place.format, out.arguments.map(read)) };
      case 'print': {
        const value = read(out.value);
        return {
          kind: 'text',
          text: output === 'json' ? line('value', jsonOf(value)) : `${textOf(value)}\n`,
        };
      }
      case 'time': {
        const text = names.time(batch.time[row] ?? 0n, {
          kind: 'timestamp',
          format: out.format,
          clock: 'monotonic',
        });
        return { kind: 'text', text: output === 'json' ? line('time', jsonText(text)) : text };
      }
      case 'join': {
        const text = joined(out.arguments, length, read).join(out.separator);
        return { kind: 'text', text: output === 'json' ? line('join', jsonText(text)) : `${text}\n` };
      }
      case 'printMap':
        return { kind: 'printMap', output: out };
      case 'printMapEntry': {
        const key = read(out.key);
        const keys = typeof key === 'object' && key?.kind === 'tuple' ? key.elements : [key];
        return { kind: 'printMapEntry', map: out.map, keys };
      }
      case 'clear':
      case 'zero':
        return { kind: out.kind, map: out.map };
      case 'exit':
        return { kind: 'exit', code: out.code === null ? 0 : view.getInt32(out.code.offset, true) };
      case 'helperError':
        return { kind: 'helperError', output: out, error: numberIn(read(out.error)) };
    }
  };

  return {
    asked,
    printed(batch, row) {
      const place = places[batch.what[row] ?? -1];
      if (place?.output.kind !== 'printf') return undefined;
      open(batch, row, place.size);
      const values = place.output.arguments.map(read);
      return { text: applyFormat(place.format, values), values };
    },
    segments(batch, from) {
      const segments: Segment[] = [];
      let text = '';
      for (let row = from; row < batch.rows; row++) {
        const place = places[batch.what[row] ?? -1];
        if (place === undefined) continue;
        if (!place.plain) {
          if (text !== '') segments.push({ kind: 'text', text });
          text = '';
          segments.push({ kind: 'action', row });
          continue;
        }
        const one = asked(batch, row);
        if (one.kind === 'text') text += one.text;
      }
      if (text !== '') segments.push({ kind: 'text', text });
      return segments;
    },
  };
}

interface Place {
  output: Output;
  format: Format;
  /** Bytes that the fields reach to. */
  size: number;
  /** Is text, and needs nothing of the node. */
  plain: boolean;
}

function placeOf(output: Output): Place {
  const fields = fieldsOf(output);
  const format = parseFormat('format' in output && output.kind !== 'time' ? output.format : '');
  const text = ['printf', 'print', 'time', 'join'].includes(output.kind);
  const size = fields.reduce((most, { offset, type }) => Math.max(most, offset + reach(type)), 16);
  return { output, format, size, plain: text && fields.every(({ type }) => isPlainType(type)) };
}

function fieldsOf(output: Output): Field[] {
  switch (output.kind) {
    case 'printf':
    case 'errorf':
    case 'warnf':
    case 'cat':
      return output.arguments;
    case 'print':
      return [output.value];
    case 'printMapEntry':
      return [output.key];
    case 'join':
      return [output.arguments];
    case 'exit':
      return output.code === null ? [] : [output.code];
    case 'helperError':
      return [output.error];
    default:
      return [];
  }
}

/** More than any value of the type takes, without a look at structs' layouts. */
function reach(type: Type): number {
  switch (type.kind) {
    case 'string':
    case 'buffer':
      return type.size + 8;
    case 'array':
      return type.length * reach(type.of);
    case 'tuple':
      return type.elements.reduce((sum, each) => sum + reach(each) + 8, 0);
    case 'record':
      return type.members.reduce((sum, each) => sum + reach(each.type) + 8, 0);
    case 'struct':
      return 65_536;
    default:
      return 24;
  }
}

function isPlainType(type: Type): boolean {
  switch (type.kind) {
    case 'stack':
    case 'symbol':
    case 'cgroupPath':
    case 'username':
    case 'struct':
      return false;
    case 'array':
      return isPlainType(type.of);
    case 'tuple':
      return type.elements.every(isPlainType);
    case 'record':
      return type.members.every((member) => isPlainType(member.type));
    default:
      return true;
  }
}

/** As many strings as the payload has. */
function joined(field: Field, length: number, read: (field: Field) => Shown): string[] {
  if (field.type.kind !== 'array') return [textOf(read(field))];
  const width = field.type.of.kind === 'string' ? field.type.of.size : 1;
  const count = Math.min(field.type.length, Math.ceil((length - field.offset) / width));
  const of = field.type.of;
  return Array.from({ length: count }, (_, i) =>
    textOf(read({ offset: field.offset + i * width, type: of })),
  );
}

function numberIn(value: Shown): number {
  return typeof value === 'bigint' ? Number(value) : 0;
}

function line(type: string, data: string): string {
  return `{"type": "${type}", "data": ${data}}\n`;
}
