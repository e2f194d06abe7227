// The times of a run of events without its rows: for what counts events over time, where parsing each line would cost more CPU than recording it did.
// Neighbours: results/view.ts (laterTimes), results/render/report-body.ts (the time line).

import { readBlocks } from './blocks.ts';
import { parseTime } from './units.ts';

const newline = 10;
/** A line begins `{"time":"2026-11-24T00:45:24.496115424Z"`. */
const timeStart = '{"time":"'.length;
const secondLength = '2026-11-24T00:45:24'.length;
const fraction = timeStart + secondLength + 1;
const timeEnd = fraction + '496115424Z'.length;

/** Batches of times of the lines after the first `skip`, ns since the Unix epoch as doubles (exact to 256 ns). The file is one that readRun
 *  reads: its lines are not checked again. */
export async function* readTimes(path: string, skip: number): AsyncGenerator<number[]> {
  let toSkip = skip;
  // Seconds repeat for many lines: their text is parsed once.
  let second = '';
  let secondNs = 0;
  for await (const { bytes, keep } of readBlocks(path)) {
    const times: number[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      if (toSkip > 0) toSkip--;
      else if (end - start >= timeEnd) {
        const text = bytes.toString('latin1', start + timeStart, start + timeStart + secondLength);
        if (text !== second) {
          second = text;
          secondNs = Number(parseTime(`${text}.000000000Z`) ?? 0n);
        }
        times.push(secondNs + digits(bytes, start + fraction));
      }
      start = end + 1;
    }
    keep(bytes.length - start);
    yield times;
  }
}

function digits(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; at < from + 9; at++) value = value * 10 + ((bytes[at] ?? 48) - 48);
  return value;
}
