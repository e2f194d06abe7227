// A run of stacks as lines: stacks of a node are made of few functions, so each function is written once for a node, a key once for its rows, and of a
// stack only what differs from the one above it. Neighbours: results/run.ts (files of these lines), results/row-json.ts (rows of the other shapes).
//
//   {"key":["node-1","shop","checkout-1","api","java",4242],"frames":0}   whose the rows below are; "frames":0 where frames are numbered anew
//   ["main.handle","user","/app/api"]                                     a frame; they are numbered from 0 in the order of their lines
//   [3,[12,7],[41]]                                                       a row: the first 3 frames of the row above, then these; its weights
//
// A node's first key numbers anew, so runs of different nodes may be put one behind the other as they are.

import { keyColumns } from './columns.ts';
import { compareKeys } from './order.ts';
import { decodeFrame, decodeRow, encodeFrame, jsonText, parseJson, readable, writable } from './row-json.ts';
import type { Row, StackFrame, StacksShape, Value } from './shape.ts';

type StackRow = Row & { kind: 'stacks' };

/** Frames numbered at once; then they are numbered anew. */
const mostFrames = 1 << 16;
const mostFrameBytes = 32 << 20;
/** Frames that are the same object wherever they stand in a file. */
const mostShared = 1 << 18;

/** Gives the lines of one row after another, each with its newline. */
export function stackLineWriter(shape: StacksShape): (row: StackRow) => string {
  const columns = keyColumns(shape);
  let numbers = new Map<string, number>();
  let known = new Map<StackFrame, number>();
  let bytes = 0;
  let key: readonly Value[] | undefined;
  let above: readonly number[] = [];

  function numberOf(frame: StackFrame, lines: string[]): number {
    const seen = known.get(frame);
    if (seen !== undefined) return seen;
    const text = jsonText(encodeFrame(frame));
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
      bytes += text.length;
      lines.push(text);
    }
    known.set(frame, number);
    return number;
  }

  return (row) => {
    const lines: string[] = [];
    const full = numbers.size + row.frames.length > mostFrames || bytes > mostFrameBytes / 2;
    const anew = key === undefined || key[0] !== row.key[0] || full;
    if (anew) {
      [numbers, known, bytes, above] = [new Map(), new Map(), 0, []];
    }
    if (anew || key === undefined || compareKeys(key, row.key) !== 0) {
      key = row.key;
      const written = key.map((value, i) => writable(value, columns[i]));
      lines.push(jsonText(anew ? { key: written, frames: 0 } : { key: written }));
    }
    const frames = row.frames.map((frame) => numberOf(frame, lines));
    const most = Math.min(above.length, frames.length);
    let shared = 0;
    while (shared < most && above[shared] === frames[shared]) shared++;
    above = frames;
    lines.push(`[${shared},[${frames.slice(shared).join(',')}],[${row.value.join(',')}]]`);
    return `${lines.join('\n')}\n`;
  };
}

/** Takes one line after another, and gives the row that a line ends; undefined for the others. Rows of one key share it, and frames that are equal are
 *  the same object, so readers may tell them by identity. Throws an Error that says what is wrong with a line. */
export function stackLineReader(shape: StacksShape): (line: Buffer) => StackRow | undefined {
  const columns = keyColumns(shape);
  const width = shape.weights.length;
  let shared = new Map<string, StackFrame>();
  let frames: StackFrame[] = [];
  let bytes = 0;
  let key: Value[] | undefined;
  let above: StackFrame[] = [];

  function takeKey(text: string): StackRow | undefined {
    const parsed = parseJson(text) as { key?: unknown; frames?: unknown; value?: unknown };
    if (typeof parsed !== 'object' || parsed === null) throw new Error('a line must be an object or a list');
    // A row that stands for itself, as versions before this one wrote them.
    if (parsed.value !== undefined) return decodeRow(shape, text) as StackRow;
    const list: unknown = parsed.key;
    if (!Array.isArray(list) || list.length !== columns.length)
      throw new Error(`key must be a list of ${columns.length} values`);
    key = columns.map((column, i) => readable(list[i] as unknown, column));
    if (parsed.frames !== undefined) [frames, bytes, above] = [[], 0, []];
    return undefined;
  }

  function takeFrame(text: string): undefined {
    const known = shared.get(text);
    const frame = known ?? decodeFrame(JSON.parse(text));
    if (known === undefined) {
      if (shared.size >= mostShared) shared = new Map();
      shared.set(text, frame);
    }
    bytes += text.length;
    if (frames.length >= mostFrames || bytes > mostFrameBytes)
      throw new Error(`more than ${mostFrames} frames are numbered, or ${mostFrameBytes} bytes of them`);
    frames.push(frame);
    return undefined;
  }

  function takeRow(line: Buffer): StackRow {
    if (key === undefined) throw new Error('a row stands before any key');
    const { same, numbers, value } = rowOf(line);
    if (same > above.length) throw new Error(`${same} frames of the row above, which has ${above.length}`);
    if (value.length !== width) throw new Error(`value has ${value.length} numbers instead of ${width}`);
    const stack = above.slice(0, same);
    for (const number of numbers) {
      const frame = frames[number];
      if (frame === undefined) throw new Error(`there is no frame ${number}`);
      stack.push(frame);
    }
    above = stack;
    return { kind: 'stacks', key, frames: stack, value };
  }

  return (line) => {
    if (line[0] === 0x7b) return takeKey(line.toString());
    if (line[0] === 0x5b && line[1] === 0x22) return takeFrame(line.toString());
    return takeRow(line);
  };
}

const [comma, open, close, minus] = [0x2c, 0x5b, 0x5d, 0x2d];

/** `[same,[numbers],[weights]]`, read by its bytes: a run has millions of these. */
function rowOf(line: Buffer): { same: number; numbers: number[]; value: bigint[] } {
  let at = 0;
  const expect = (byte: number) => {
    if (line[at] !== byte) throw new Error(`not a row: something else stands at byte ${at}`);
    at++;
  };
  const digits = (): number => {
    const start = at;
    let value = 0;
    for (let digit = (line[at] ?? 0) - 48; digit >= 0 && digit <= 9; digit = (line[at] ?? 0) - 48) {
      value = value * 10 + digit;
      at++;
    }
    if (at === start) throw new Error(`not a row: a number is missing at byte ${at}`);
    return value;
  };
  const integer = (): bigint => {
    const start = at;
    if (line[at] === minus) at++;
    const value = digits();
    if (value < 1e15 && line[start] !== minus) return BigInt(value);
    return BigInt(line.toString('latin1', start, at));
  };
  const list = <T>(each: () => T): T[] => {
    const items: T[] = [];
    expect(open);
    if (line[at] !== close)
      for (;;) {
        items.push(each());
        if (line[at] !== comma) break;
        at++;
      }
    expect(close);
    return items;
  };
  expect(open);
  const same = digits();
  expect(comma);
  const numbers = list(digits);
  expect(comma);
  const value = list(integer);
  expect(close);
  if (at !== line.length) throw new Error('not a row: something follows it');
  return { same, numbers, value };
}
