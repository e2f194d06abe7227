// The order of what records ask, and the end of a program within a batch. Neighbour: program-records.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, BpfObject, Native, RingReaderOptions } from '../native/api.ts';
import type { RecordReader, Segment } from '../programs/show/records.ts';
import { drainRecords } from './program-records.ts';

/** What is 1 asks for the end, 2 is another action, all else text. */
const end = 1;
const action = 2;

function batch(rows: [time: number, what: number][]): Batch {
  const none = { kind: 'text' as const, offsets: new Uint32Array(rows.length + 1), bytes: new Uint8Array() };
  return {
    rows: rows.length,
    late: 0,
    columns: {
      time: { kind: 'unsigned', values: BigUint64Array.from(rows, ([time]) => BigInt(time)) },
      what: { kind: 'unsigned', values: Uint32Array.from(rows, ([, what]) => what) },
      container: { kind: 'unsigned', values: new BigUint64Array(rows.length) },
      process_pid: { kind: 'unsigned', values: new Uint32Array(rows.length) },
      process_name: none,
      payload: none,
    },
  };
}

/** Runs batches through; gives what was done, in order. */
async function done(batches: Batch[], endedAt: bigint): Promise<string[]> {
  let options: RingReaderOptions | undefined;
  const native = {
    readRing(_object: BpfObject, given: RingReaderOptions) {
      options = given;
      return {
        counters: () => ({ records: 0, bytes: 0, pending: 0, cpuNanoseconds: 0 }),
        stop: async () => undefined,
      };
    },
  } as unknown as Native;
  const list: string[] = [];
  let wantedFrom = 0n;
  const records = drainRecords({
    native,
    object: {} as BpfObject,
    reader: {} as RecordReader,
    wantedFrom: () => wantedFrom,
    write: (text) => list.push(text),
    segments: (given) =>
      Array.from(
        given.what,
        (what, row): Segment =>
          what === end || what === action
            ? { kind: 'action', row }
            : { kind: 'text', text: `${given.time[row]}` },
      ),
    async act(given, row) {
      await new Promise(setImmediate);
      list.push(given.what[row] === end ? 'end' : 'action');
      if (given.what[row] === end) wantedFrom = endedAt;
    },
  });
  for (const each of batches) options?.onBatch(each);
  await records.stop();
  assert.equal(records.failure(), undefined);
  return list;
}

test('what is asked is done in the order of the records, over batches', async () => {
  const batches = [
    batch([
      [1, 0],
      [2, action],
      [3, 0],
    ]),
    batch([[4, 0]]),
  ];
  assert.deepEqual(await done(batches, 0n), ['1', 'action', '3', '4']);
});

test('after exit only what end probes print is shown, in the same batch or in another', async () => {
  const batches = [
    batch([
      [1, 0],
      [2, end],
      [3, 0],
      [4, action],
      [10, 0],
      [11, action],
    ]),
    batch([
      [5, 0],
      [12, 0],
    ]),
  ];
  assert.deepEqual(await done(batches, 10n), ['1', 'end', '10', 'action', '12']);
});
