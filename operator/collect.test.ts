// Runs come to the scratch disk whole, in as many attempts as it takes, or not at all.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AgentApi, AgentCallError } from '../agent/api.ts';
import { metaOf, tableShape } from '../results/samples.ts';
import { evenClock } from './clock.ts';
import { collector, turnsOf } from './collect.ts';
import { RunError } from './hands.ts';

const rows = Buffer.from('a run of some rows\n'.repeat(1000));
const never = new AbortController().signal;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sonde-collect-'));
});
after(() => rm(scratch, { recursive: true }));

/** An agent that has the run, and whose every answer is cut off where `cut` says. */
function agentWith(sent: Buffer, cut: (from: number) => number): AgentApi & { asked: number[] } {
  const asked: number[] = [];
  const unused = () => assert.fail('not asked for');
  return {
    asked,
    describe: unused,
    run: unused,
    retarget: unused,
    stop: unused,
    upload: unused,
    acknowledge: unused,
    close: unused,
    async fetch(_uid, from) {
      const at = Number(from);
      asked.push(at);
      const digest = createHash('sha256').update(rows).digest('hex');
      const head = { meta: metaOf(tableShape, 'syscall-counts'), bytes: BigInt(rows.length), sha256: digest };
      async function* parts() {
        const end = cut(at);
        for (let i = at; i < end; i += 1000) yield sent.subarray(i, Math.min(i + 1000, end));
        if (end < sent.length) throw new AgentCallError('Unreachable', 'cut off');
      }
      return { head, rows: parts() };
    },
  };
}

test('a run that is cut off is taken up from where it was', async () => {
  const collect = collector(scratch, evenClock());
  const agent = agentWith(rows, (from) => Math.min(from + 7_300, rows.length));
  let [run, attempts, signs] = [undefined as Awaited<ReturnType<typeof collect>> | undefined, 0, 0];
  while (run === undefined && attempts++ < 10)
    run = await collect(agent, 'job-1', 'node-a', never, () => signs++).catch(() => undefined);
  assert.deepEqual(agent.asked, [0, 7_300, 14_600]);
  assert.deepEqual(await readFile(run?.path ?? ''), rows);
  assert.ok(signs >= 19, 'each part is a sign of life');
});

test('a run whose bytes are others than were announced is thrown away and asked again from the beginning', async () => {
  const collect = collector(scratch, evenClock());
  const wrong = Buffer.from(rows);
  wrong[100] = 0;
  const agent = agentWith(wrong, () => rows.length);
  for (let i = 0; i < 2; i++)
    await assert.rejects(
      collect(agent, 'job-2', 'node-a', never, () => undefined),
      (error) => error instanceof RunError && error.refusal.reason === 'RunDamaged' && error.again,
    );
  assert.deepEqual(agent.asked, [0, 0]);
});

test('what an agent sends beyond what it announced is not written', async () => {
  const collect = collector(scratch, evenClock());
  const long = Buffer.concat([rows, Buffer.alloc(10_000_000)]);
  const run = await collect(
    agentWith(long, () => long.length),
    'job-3',
    'node-a',
    never,
    () => undefined,
  );
  assert.deepEqual(await readFile(run.path), rows);
});

test('a uid that is no name for a folder is refused', async () => {
  const collect = collector(scratch, evenClock());
  await assert.rejects(
    collect(
      agentWith(rows, () => 0),
      '../x',
      'node-a',
      never,
      () => undefined,
    ),
    TypeError,
  );
});

test('no more than so many work at once, and all get their turn', async () => {
  const turns = turnsOf(2);
  let [now, most] = [0, 0];
  const work = async (value: number) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now--;
    if (value === 3) throw new Error('one of them fails');
    return value;
  };
  const done = await Promise.allSettled([1, 2, 3, 4, 5].map((value) => turns(() => work(value))));
  assert.equal(most, 2);
  assert.deepEqual(
    done.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
});
