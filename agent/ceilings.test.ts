import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busy, type Cost, mapBytes } from './ceilings.ts';

const ceilings = { jobs: 3, memoryBytes: 100 << 20, cpu: 0.5 };
const cost = (megabytes: number, cpu: number): Cost => ({ memoryBytes: megabytes << 20, cpu });

const cases: [name: string, running: Cost[], next: Cost, says: RegExp | undefined][] = [
  ['the first job starts', [], cost(50, 0.1), undefined],
  ['as many as may', [cost(1, 0), cost(1, 0)], cost(1, 0), undefined],
  ['one job too many', [cost(1, 0), cost(1, 0), cost(1, 0)], cost(1, 0), /3 jobs run/],
  ['maps to the last byte', [cost(50, 0)], cost(50, 0), undefined],
  ['maps beyond it', [cost(50, 0)], cost(51, 0), /101 MiB of the 100 MiB/],
  ['budgets that add up to the ceiling', [cost(1, 0.1), cost(1, 0.2)], cost(1, 0.2), undefined],
  ['budgets beyond it', [cost(1, 0.3)], cost(1, 0.3), /0\.600 of the 0\.5 cores/],
];
for (const [name, running, next, says] of cases)
  test(`ceilings: ${name}`, () => {
    const said = busy(ceilings, running, next);
    if (says === undefined) assert.equal(said, undefined);
    else assert.match(said ?? '', says);
  });

test('a per-CPU map takes its values once for each CPU, a ring its bytes, an array no more than its values', () => {
  const sizes = { keySize: 8, valueSize: 16, maxEntries: 10 };
  assert.equal(mapBytes({ type: 'percpu_hash', ...sizes }, 4), 10 * (64 + 8 + 64));
  assert.equal(mapBytes({ type: 'ringbuf', ...sizes, maxEntries: 4096 }, 4), 4096);
  assert.equal(mapBytes({ type: 'array', ...sizes }, 4), 160);
});
