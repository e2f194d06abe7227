// The jobs of a node with sessions that are only played: who starts, who waits, who is forgotten. With real ones: test/agent/agent.kernel.test.ts.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { native } from '../native/index.ts';
import type { Report, RunOrder } from './api.ts';
import { AgentError } from './errors.ts';
import { type Jobs, type JobsOptions, openJobs } from './jobs.ts';
import type { SessionRequest } from './plan.ts';
import type { Session, SessionResult } from './session.ts';
import { order } from './testdata/messages.ts';

interface Played {
  request: SessionRequest;
  stopped: number;
  pods: number;
  finish(): void;
}

interface Stage {
  jobs: Jobs;
  played: Played[];
  spool: string;
  clock: { now: number };
  open(): Promise<Jobs>;
}

async function stage(t: TestContext, change: Partial<JobsOptions> = {}): Promise<Stage> {
  const spool = mkdtempSync(join(tmpdir(), 'sonde-jobs-'));
  t.after(() => rmSync(spool, { recursive: true }));
  const played: Played[] = [];
  const clock = { now: 1000 };
  const options: JobsOptions = {
    native,
    node: 'n',
    mountPoint: '/none',
    spool,
    ceilings: { jobs: 2, memoryBytes: 1 << 30, cpu: 1 },
    runTtlMs: 60_000,
    startSession: async (request) => playSession(request, played),
    now: () => clock.now,
    onPhase: () => undefined,
    describe: async () => {
      throw new Error('not asked');
    },
    ...change,
  };
  const open = async () => await openJobs(options);
  return { jobs: await open(), played, spool, clock, open };
}

function playSession(request: SessionRequest, played: Played[]): Session {
  const finished = Promise.withResolvers<SessionResult>();
  const detached = Promise.withResolvers<void>();
  const meta = {
    job: request.job,
    trace: { name: 'open-files', parameters: {} },
    startTime: 1n,
    completionTime: 2n,
    ended: 'Duration' as const,
    shape: request.plan.source.shape,
    owners: [],
    events: { seen: 1n, recorded: 1n, lost: 0n, sampledBy: 1, losses: [] },
    overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n, hits: 0n },
    attached: [],
    warnings: [],
  };
  const rows = join(request.spool, 'events.jsonl');
  const part: Played = {
    request,
    stopped: 0,
    pods: 0,
    finish() {
      writeFileSync(rows, '{}\n');
      detached.resolve();
      finished.resolve({ meta, rows });
    },
  };
  played.push(part);
  const amounts = { seen: 1n, recorded: 1n, lost: 0n, sampledBy: 1, targets: 0, pods: 0 };
  return {
    attached: [],
    progress: () => ({ ...amounts, programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n }),
    draft: () => meta,
    async retarget(pods) {
      part.pods = pods.length;
    },
    stop() {
      part.stopped++;
      part.finish();
    },
    detached: detached.promise,
    finished: finished.promise,
  };
}

const named = (uid: string): RunOrder => ({ ...order, job: { ...order.job, uid } });
const never = new AbortController().signal;

async function until(jobs: Jobs, given: RunOrder, phase: Report['phase']): Promise<Report> {
  let last: Report | undefined;
  for await (const report of jobs.run(given, never)) {
    last = report;
    if (report.phase === phase) return report;
  }
  assert.fail(`never ${phase}, but ${last?.phase} ${last?.reason} ${last?.message}`);
}

test('two orders for one job at the same time start one session, and both hear of its end', async (t) => {
  const { jobs, played } = await stage(t);
  const both = Promise.all([until(jobs, named('a'), 'Finished'), until(jobs, named('a'), 'Finished')]);
  await until(jobs, named('a'), 'Running');
  assert.equal(played.length, 1);
  played[0]?.finish();
  assert.deepEqual(
    (await both).map(({ phase }) => phase),
    ['Finished', 'Finished'],
  );
});

test('orders at the same time cannot pass the ceiling together, and a job that has ended makes room', async (t) => {
  const { jobs, played } = await stage(t);
  const uids = ['a', 'b', 'c', 'd'];
  const first = await Promise.all(
    uids.map(
      async (uid) => (await jobs.run(named(uid), never)[Symbol.asyncIterator]().next()).value as Report,
    ),
  );
  assert.deepEqual(
    first.map(({ reason }) => reason),
    [undefined, undefined, 'NodeBusy', 'NodeBusy'],
  );
  await until(jobs, named('a'), 'Running');
  played.find(({ request }) => request.job.uid === 'a')?.finish();
  await until(jobs, named('a'), 'Finished');
  await until(jobs, named('c'), 'Running');
});

test('a job that is stopped while it starts ends as soon as it has started, and pods that came meanwhile are told', async (t) => {
  const gate = Promise.withResolvers<void>();
  const played: Played[] = [];
  const startSession: JobsOptions['startSession'] = async (request) => {
    await gate.promise;
    return playSession(request, played);
  };
  const { jobs } = await stage(t, { startSession });
  assert.equal((await until(jobs, named('a'), 'Starting')).attachedAt, 0n);
  const told = jobs.retarget('a', order.pods);
  await jobs.stop('a', false);
  gate.resolve();
  await until(jobs, named('a'), 'Finished');
  await told;
  assert.deepEqual([played[0]?.stopped, played[0]?.pods], [1, 2]);
});

test('a session that cannot start leaves a job that has failed, with its reason, until it is acknowledged', async (t) => {
  const { jobs, spool, open } = await stage(t, {
    startSession: async () => {
      throw new AgentError('HookMissing', 'no hook here');
    },
  });
  const report = await until(jobs, named('a'), 'Failed');
  assert.deepEqual([report.reason, report.message], ['HookMissing', 'no hook here']);
  assert.deepEqual(await until(await open(), named('a'), 'Failed'), report);
  await jobs.acknowledge('a');
  assert.deepEqual(readdirSync(spool), []);
});

test('runs that nobody acknowledges are forgotten after their time, also after a restart; others stay', async (t) => {
  const { jobs, played, spool, clock, open } = await stage(t);
  for (const uid of ['a', 'b']) {
    await until(jobs, named(uid), 'Running');
    played.at(-1)?.finish();
    await until(jobs, named(uid), 'Finished');
    clock.now += 40_000;
  }
  const again = await open();
  await again.sweep();
  assert.deepEqual(readdirSync(spool), ['b']);
  assert.equal((await until(again, named('b'), 'Finished')).events.recorded, 1n);
  clock.now += 40_000;
  await again.sweep();
  assert.deepEqual(readdirSync(spool), []);
});

test('a job that was forgotten is begun anew for a later generation of its spec, not for a late order', async (t) => {
  const { jobs, played } = await stage(t);
  await until(jobs, { ...named('a'), generation: 2 }, 'Running');
  await jobs.stop('a', true);
  await until(jobs, { ...named('a'), generation: 2 }, 'Failed');
  await jobs.acknowledge('a');
  for (const late of [named('a'), { ...named('a'), generation: 2 }])
    assert.equal((await until(jobs, late, 'Failed')).reason, 'Discarded');
  await until(jobs, { ...named('a'), generation: 4 }, 'Running');
  assert.equal(played.length, 2);
});

test('an agent that ends finishes its jobs, and takes no more', async (t) => {
  const { jobs, played } = await stage(t);
  await until(jobs, named('a'), 'Running');
  await jobs.shutDown();
  assert.equal(played[0]?.stopped, 1);
  assert.equal((await until(jobs, named('a'), 'Finished')).reason, 'Interrupted');
  await assert.rejects(until(jobs, named('b'), 'Running'), { code: 'Unreachable' });
});

test('reports end with the call that asked for them, not the job', async (t) => {
  const { jobs, played } = await stage(t);
  const leave = new AbortController();
  let heard = 0;
  for await (const report of jobs.run(named('a'), leave.signal)) {
    heard++;
    if (report.phase === 'Running') leave.abort();
  }
  await setImmediate();
  assert.ok(heard <= 3);
  assert.equal(played[0]?.stopped, 0);
  assert.equal((await until(jobs, named('a'), 'Running')).phase, 'Running');
});
