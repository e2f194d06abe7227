// What of a result may stand where anyone with `view` reads it (a job's status, a printer column): no arguments, paths, addresses, payloads.
// Neighbours: results/digest.ts, results/headline.ts.

import { shorten } from './escape.ts';
import type { Column, StackFrame, Value } from './shape.ts';

/** Columns whose values may be shown to anyone. */
export function isPublic(column: Column): boolean {
  return column.sensitive === undefined && column.type !== 'ipAddress' && column.type !== 'textList';
}

/** A function's name without the path that some runtimes put into it (`JS:*parse /app/src/index.js:10` → `JS:*parse`), and without its package's
 *  path or module's folder (`encoding/json.Unmarshal` → `json.Unmarshal`, `/app/api+0x12` → `api+0x12`). */
export function publicFunction(frame: StackFrame): string {
  const name = frame.kind === 'jit' ? withoutPath(frame.name) : frame.name.replace(/^[^\s()<>,]*\//, '');
  return shorten(name === '' ? '[unnamed]' : name, 120);
}

function withoutPath(name: string): string {
  return name.replace(/[^\s:]*\/.*$/s, '').replace(/[\s:]+$/, '');
}

/** A value as it stands in a sentence. */
export function publicText(value: Value): string {
  if (value === null) return '';
  return shorten(Array.isArray(value) ? value.join(' ') : String(value), 64);
}
