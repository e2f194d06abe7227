import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');
const rounds = 50;

test('each bind and listen is a row with the port that the kernel chose; what is refused has the port asked for', async () => {
  const traced = await trace('sockets', {
    inside: [[asks, 'sockets', String(rounds)]],
    outside: [asks, 'sockets', '5'],
  });
  assert.equal(traced.rows.length, 4 * rounds);
  const here = { address: '127.0.0.1', protocol: 'TCP', family: 'inet', process: 'asks' };
  const bound = traced.rows.filter((row) => row.syscall === 'bind' && row.errno === undefined);
  assert.equal(count(traced.rows, { ...here, syscall: 'bind', errno: null, backlog: -1 }), rounds);
  assert.equal(count(traced.rows, { ...here, syscall: 'listen', backlog: 7 }), rounds);
  assert.equal(count(traced.rows, { ...here, syscall: 'bind', errno: 'EADDRINUSE' }), rounds);
  assert.equal(count(traced.rows, { address: '::1', protocol: 'UDP', family: 'inet6' }), rounds);
  assert.ok(bound.every(({ port }) => Number(port) > 0));
  const { port } = find(traced.rows, { ...here, syscall: 'listen' });
  assert.ok(count(traced.rows, { ...here, syscall: 'bind', errno: 'EADDRINUSE', port }) >= 1);
});

test('only what was refused', async () => {
  const traced = await trace('sockets', {
    parameters: { errno: 'EADDRINUSE' },
    inside: [[asks, 'sockets', '10']],
  });
  assert.equal(traced.rows.length, 10);
});
