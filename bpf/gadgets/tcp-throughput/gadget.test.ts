import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const talks = await workload('talks');
const many = scaled(100);

const sum = (traced: Traced, column: string): number =>
  traced.rows.reduce((total, row) => total + Number(row[column]), 0);

for (const family of ['4', '6'])
  test(`every byte that both ends send is received, over IPv${family}; a neighbour is in none`, async () => {
    const traced = await trace('tcp-throughput', {
      inside: [[talks, 'both', family, '0', String(many), '1000', '70000', 'close']],
      outside: [talks, 'both', family, '0', '10', '77', '77', 'close'],
    });
    assert.equal(sum(traced, 'sentBytes'), many * 71_000);
    assert.equal(sum(traced, 'receivedBytes'), many * 71_000);
    const address = family === '4' ? '127.0.0.1' : '::1';
    assert.ok(traced.rows.every((row) => row.remoteAddress === address && row.process === 'talks'));
  });

test('by connection, each has rows of its own', async () => {
  const traced = await trace('tcp-throughput', {
    parameters: { byConnection: true },
    inside: [[talks, 'both', '4', '0', '7', '1000', '2000', 'close']],
  });
  const ports = new Set(traced.rows.map(({ localPort, remotePort }) => `${localPort}-${remotePort}`));
  assert.equal(ports.size, 14);
  assert.equal(sum(traced, 'sentBytes'), 7 * 3000);
});
