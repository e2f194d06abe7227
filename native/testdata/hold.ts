// Attaches, reads a ring that fills all the while, and never lets go; run by leaks.kernel.test.ts as a process and as a worker thread.
import { parentPort } from 'node:worker_threads';
import { native } from '../index.ts';

const [path = '', program = 'write_records'] = process.argv.slice(2);
const object = native.openObject(path);
object.setVariable('target', process.pid);
object.setVariable('syscall', process.arch === 'arm64' ? 176n : 104n);
object.setVariable('per_call', 100);
object.setAutoload(program, true);
object.load();
object.attach(program);
let rows = 0;
const reader = native.readRing(object, {
  ring: 'events',
  record: 'event',
  flushMs: 1,
  onBatch: (batch) => {
    rows += batch.rows;
    if (rows < 1000) return;
    parentPort?.postMessage('reading');
    process.send?.('reading');
    rows = Number.NEGATIVE_INFINITY;
  },
  onError: (error) => {
    throw error;
  },
});
setInterval(() => {
  for (let i = 0; i < 100; i++) process.getgid?.();
  reader.counters();
}, 1);
