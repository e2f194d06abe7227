import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('each mount and unmount is a row with what, where, type, flags and result; a neighbour is in none', async () => {
  const traced = await trace('mounts', {
    inside: [[asks, 'mounts', '50']],
    outside: [asks, 'mounts', '5'],
  });
  assert.equal(traced.rows.length, 100);
  const target = '/no/such/folder';
  const mount = { syscall: 'mount', source: 'nothing', target, type: 'tmpfs', flags: 8, errno: 'ENOENT' };
  assert.equal(count(traced.rows, { ...mount, process: 'asks' }), 50);
  assert.equal(count(traced.rows, { syscall: 'umount2', target, source: '', type: '', flags: 2 }), 50);
  assert.equal(find(traced.rows, mount).container, 'test');
});
