// A job on one node whose agent is of another version. (What else may happen to a stream: operator/simulation.test.ts.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentApi, type NodeDescription, protocol } from '../agent/api.ts';
import { order, report } from '../agent/testdata/messages.ts';
import { evenClock } from './clock.ts';
import { follow } from './follow.ts';
import type { Hands } from './hands.ts';
import type { NodeRecord } from './observed.ts';

/** Follows a job on a node whose agent says that it speaks this protocol; gives what is known then, and how often the job was ordered. */
async function followed(theirs: number): Promise<{ record: NodeRecord; orders: number }> {
  const unused = () => assert.fail('not asked for');
  const description: NodeDescription = {
    ...{ node: 'node-1', version: '9.1.0\u001b[31m', protocol: theirs, kernel: '6.18', arch: 'x86' },
    ...{ features: {}, gadgets: [], jobs: [] },
  };
  let orders = 0;
  const agent: AgentApi = {
    ...{ retarget: unused, stop: unused, fetch: unused, upload: unused, acknowledge: unused },
    describe: async () => description,
    async *run() {
      orders++;
      yield report;
    },
    close: () => undefined,
  };
  const record: NodeRecord = { following: false };
  const hands = {
    clock: evenClock(),
    agentOn: () => agent,
    counts: { agentError: unused },
  } as unknown as Hands;
  await follow(hands, {
    ...{ uid: order.job.uid, node: 'node-1', record, inherited: false, changed: () => undefined },
    left: () => 60_000,
    order: () => order,
    signal: new AbortController().signal,
  });
  return { record, orders };
}

test('agents of this protocol and of the one before are given the job', async () => {
  for (const theirs of [protocol, protocol - 1]) {
    const { record, orders } = await followed(theirs);
    assert.equal(orders, 1);
    assert.equal(record.failure, undefined);
    assert.equal(record.report?.phase, report.phase);
  }
});

test('an agent that is further apart gets no order, and the job says which version it is', async () => {
  for (const [theirs, side] of [
    [protocol + 1, 'newer'],
    [protocol - 2, 'older'],
  ] as const) {
    const { record, orders } = await followed(theirs);
    assert.equal(orders, 0);
    assert.equal(record.failure?.reason, 'VersionApart');
    const expected = new RegExp(
      `^its agent \\(version 9\\.1\\.0.*\\) is ${side} than this operator can speak with`,
    );
    assert.match(record.failure?.message ?? '', expected);
    assert.ok(!record.failure?.message.includes('\u001b'));
  }
});
