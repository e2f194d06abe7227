// What a run of a program says beside its records' own text: losses, messages with their place, files that it shows. Neighbour: agent/program-session.ts.

import { closeSync, openSync, readSync } from 'node:fs';
import type { BpfObject } from '../native/api.ts';
import { renderDiagnostics } from '../programs/diagnostics.ts';
import { jsonText } from '../programs/show/json.ts';
import type { Asked } from '../programs/show/records.ts';
import { lossReasons } from './collect.ts';
import { integer, member } from './decode.ts';

/** What was not shown: records that found no room in the ring, values that found none in a map. */
export function tellLosses(
  object: BpfObject,
  format: 'text' | 'json',
  write: (text: string) => void,
  say: (text: string) => void,
): void {
  const counts = new Map<string, bigint>();
  for (const { key, value } of object.map('losses').entries()) {
    const reason = lossReasons[Number(integer(member(key, 'reason')))] ?? 'RingFull';
    counts.set(reason, (counts.get(reason) ?? 0n) + integer(value));
  }
  const lost = (counts.get('RingFull') ?? 0n) + (counts.get('Rate') ?? 0n);
  if (lost > 0n && format === 'text') say(`Lost ${lost} events\n`);
  else if (lost > 0n) write(`{"type": "lost_events", "count": ${lost}, "data": {"events": ${lost}}}\n`);
  const noRoom = counts.get('MapFull') ?? 0n;
  if (noRoom > 0n)
    say(
      `WARNING: Map full; can't update element. ${noRoom} values found no room: raise max_map_keys, or declare the map larger (let @a = hash(5000))\n`,
    );
  const stacks = counts.get('StackUnavailable') ?? 0n;
  if (stacks > 0n) say(`WARNING: ${stacks} stacks found no room and are not told apart\n`);
}

/** errorf and warnf, with the place in the source. */
export function messageOf(
  source: { name: string; text: string },
  format: 'text' | 'json',
  { severity, text, output }: Asked & { kind: 'message' },
): string {
  const { span } = output;
  const message = text.replace(/\n$/, '');
  const rendered = renderDiagnostics([{ severity, span, message }], source.text, source.name);
  const [first = ''] = rendered.split('\n');
  if (format === 'text') return `${first}\n`;
  return `{"type": "${output.kind}", "msg": ${jsonText(text)}}\n`;
}

/** A file's beginning, as cat() asks for it; why it can't be read is said. */
export function catText(
  path: string,
  most: number,
  format: 'text' | 'json',
  say: (text: string) => void,
): string {
  try {
    const bytes = new Uint8Array(most);
    const fd = openSync(path, 'r');
    let length = 0;
    try {
      for (let read = 1; read > 0 && length < most; length += read)
        read = readSync(fd, bytes, length, most - length, null);
    } finally {
      closeSync(fd);
    }
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    return format === 'json' ? `{"type": "cat", "data": ${jsonText(text)}}\n` : text;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    say(
      `ERROR: failed to open file '${path}': ${reason === 'ENOENT' ? 'No such file or directory' : reason}\n`,
    );
    return '';
  }
}
