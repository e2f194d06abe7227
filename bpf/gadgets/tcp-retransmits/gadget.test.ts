import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { workload } from '../../../test/support/workload.ts';

const asks = await workload('asks');

test('a SYN that nobody answers is sent again, as often as bpftrace sees; a neighbour is in none', async () => {
  const traced = await trace('tcp-retransmits', {
    inside: [[asks, 'syns', '1']],
    outside: [asks, 'sockets', '1'],
    peer: () => 'tracepoint:tcp:tcp_retransmit_skb /args->daddr[0] == 127/ { @again = count(); }',
  });
  const again = { state: 'SYN_SENT', localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' };
  const { retransmits, rttNs } = find(traced.rows, again);
  assert.equal(retransmits, 1);
  assert.equal(rttNs, undefined);
  assert.equal(count(traced.rows, again), traced.rows.length);
  assert.ok(traced.rows.length >= 1 && traced.rows.length <= 3, `${traced.rows.length} rows`);
});
