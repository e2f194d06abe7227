// The operator's loop against a world that a seed breaks: messages lost, late, doubled and out of order, agents and operators killed, clocks that jump.
// Every job ends, every probe is detached, and a result is exact or says that it is not. SONDE_SIMULATIONS: how many worlds; SONDE_SEED: just this one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadGadget } from '../bpf/registry.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import { assignerOf } from './assign.ts';
import type { JobObject } from './cluster.ts';
import { calm } from './simulation/network.ts';
import { type Chance, chanceOf, simulatedTime } from './simulation/time.ts';
import { deleting, isEnded, makeWorld, type World } from './simulation/world.ts';
import { times } from './verdict.ts';

const seed = process.env.SONDE_SEED === undefined ? undefined : Number(process.env.SONDE_SEED);
const count = seed === undefined ? Number(process.env.SONDE_SIMULATIONS ?? 2_000) : 1;
const epoch = Date.UTC(2030, 0, 1);
const assign = assignerOf([await loadGadget('syscall-counts')]);

/** A test's worth of worlds. */
const block = 500;
const ends = new Map<string, number>();

for (let first = seed ?? 1; first < (seed ?? 1) + count; first += block) {
  const last = Math.min(first + block, (seed ?? 1) + count) - 1;
  test(`in the broken worlds ${first} to ${last} every job ends, detached everywhere, exact or Degraded`, async () => {
    for (let number = first; number <= last; number++) {
      const { problems, end } = await simulate(number);
      assert.deepEqual(problems, [], `SONDE_SEED=${number}`);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  });
}

test('the worlds are not so broken that nothing is shown', { skip: seed !== undefined }, (context) => {
  const sorted = [...ends].toSorted(([, a], [, b]) => b - a);
  context.diagnostic(sorted.map(([end, jobs]) => `${jobs} ${end}`).join(', '));
  assert.ok((ends.get('Complete') ?? 0) > count / 10);
});

test('an operator that is killed and a line that is cut cost a job nothing', async () => {
  for (let number = 1; number <= 50; number++) {
    const chance = chanceOf(number);
    const time = simulatedTime(epoch);
    const names = ['node-0', 'node-1'];
    const nodes = names.map((name) => ({ name, skew: chance.between(-500, 500), mostJobs: 4, fails: false }));
    const world = makeWorld({ time, chance, nodes, weather: calm, assign });
    for (const name of names) world.addPod(`pod-of-${name}`, name);
    world.startOperator(0);
    const job = jobOf(30_000);
    time.after(100, () => world.addJob(job));
    for (let kills = chance.between(1, 3); kills > 0; kills--)
      time.after(chance.between(200, 31_000), () => {
        world.killOperator();
        time.after(chance.between(100, 3_000), () => {
          world.killOperator();
          world.startOperator(0);
        });
      });
    for (let cuts = 20; cuts > 0; cuts--) {
      const [name, forMs] = [chance.pick(names), chance.between(10, 500)];
      time.after(chance.between(3_000, 30_000), () => world.cutLine(name, forMs));
    }
    await time.run(epoch + 45_000);
    world.close();
    const status = world.jobs.get('job-1')?.status ?? {};
    assert.equal(endOf(world, 'job-1', status), 'Complete', `world ${number}`);
    const found = problemsOf(world, 'job-1', status, {
      nodes: names,
      durationMs: 30_000,
      deleted: false,
      suspended: false,
    });
    assert.deepEqual(found, [], `world ${number}`);
  }
});

interface Case {
  /** Nodes with pods before the job came. */
  nodes: string[];
  durationMs: number;
  deleted: boolean;
  suspended: boolean;
}

async function simulate(number: number): Promise<{ problems: string[]; end: string }> {
  const chance = chanceOf(number);
  const time = simulatedTime(epoch);
  const rough = chance.happens(0.7);
  const weather = rough
    ? {
        lost: chance.next() * 0.1,
        doubled: chance.next() * 0.1,
        late: chance.next() * 0.1,
        broken: chance.next() * 0.1,
        mostDelayMs: chance.between(5, 300),
      }
    : calm;
  const nodes = Array.from({ length: chance.between(1, 4) }, (_, i) => ({
    name: `node-${i}`,
    skew: chance.between(-500, 500),
    mostJobs: chance.happens(0.05) ? 0 : 4,
    fails: chance.happens(0.03),
  }));
  const world = makeWorld({ time, chance, nodes, weather, assign });
  const durationMs = chance.between(2, 20) * 1000;
  const job = jobOf(durationMs);
  const plan: Case = {
    nodes: [],
    durationMs,
    deleted: chance.happens(0.05),
    suspended: chance.happens(0.05),
  };
  for (const { name } of nodes) {
    if (chance.happens(0.1)) continue;
    world.addPod(`pod-of-${name}`, name);
    plan.nodes.push(name);
  }
  world.startOperator(0);
  time.after(chance.between(50, 3_000), () => world.addJob(job));
  trouble(world, chance, time, plan, rough);
  const { uid } = job.metadata;
  let lastStatus: TraceJobStatus = {};
  const over = () => {
    const now = world.jobs.get(uid);
    if (now) lastStatus = now.status;
    return now !== undefined && isEnded(now.status);
  };
  await time.run(epoch + 10_000 + durationMs);
  await time.run(epoch + 45 * 60_000, () => over() || !world.jobs.has(uid));
  world.heal();
  await time.run(time.now() + 90_000);
  world.close();
  over();
  return { problems: problemsOf(world, uid, lastStatus, plan), end: endOf(world, uid, lastStatus) };
}

function trouble(
  world: World,
  chance: Chance,
  time: ReturnType<typeof simulatedTime>,
  plan: Case,
  rough: boolean,
): void {
  const moment = () => chance.between(100, plan.durationMs + 12_000);
  const names = [...world.nodes.keys()];
  const some = (probability: number, most: number) =>
    rough && chance.happens(probability) ? chance.between(1, most) : 0;
  for (let i = some(0.3, 2); i > 0; i--) {
    const [name, keeps, down] = [chance.pick(names), chance.happens(0.5), chance.between(200, 20_000)];
    time.after(moment(), () => world.killAgent(name, keeps, down));
  }
  for (let i = some(0.4, 20); i > 0; i--) {
    const [name, forMs] = [
      chance.pick(names),
      chance.happens(0.8) ? chance.between(10, 2_000) : chance.between(2_000, 30_000),
    ];
    time.after(moment(), () => world.cutLine(name, forMs));
  }
  for (let i = some(0.3, 3); i > 0; i--) {
    const jump = chance.happens(0.7) ? 0 : chance.between(-3_600_000, 3_600_000);
    time.after(moment(), () => {
      world.killOperator();
      time.after(chance.between(100, 20_000), () => {
        world.killOperator();
        world.startOperator(jump);
      });
    });
  }
  if (some(0.1, 1)) time.after(moment(), () => world.removeNode(chance.pick(names)));
  for (let i = some(0.3, 4); i > 0; i--) {
    const [name, node] = [`late-${i}`, chance.pick(names)];
    time.after(moment(), () => world.addPod(name, node));
    if (chance.happens(0.5)) time.after(moment(), () => world.removePod(name));
  }
  if (plan.deleted)
    time.after(moment(), () =>
      world.change(
        'job-1',
        (job) => deleting(job) ?? { ...job, metadata: { ...job.metadata, deletionTimestamp: 'now' } },
      ),
    );
  if (plan.suspended)
    time.after(moment(), () =>
      world.change('job-1', (job) => ({
        ...job,
        metadata: { ...job.metadata, generation: job.metadata.generation + 1 },
        spec: { ...(job.spec as object), suspend: true },
      })),
    );
}

function jobOf(durationMs: number): JobObject {
  return {
    kind: 'TraceJob',
    metadata: {
      name: 'job',
      namespace: 'shop',
      uid: 'job-1',
      generation: 1,
      finalizers: [],
      resourceVersion: '1',
    },
    spec: {
      trace: { syscallCounts: {} },
      target: { selector: { matchLabels: { app: 'api' } } },
      duration: `${durationMs}ms`,
    },
    status: {},
  };
}

function endOf(world: World, uid: string, status: TraceJobStatus): string {
  if (!world.jobs.has(uid)) return 'deleted';
  const holds = (type: string) => status.conditions?.find((each) => each.type === type);
  const [failed, degraded] = [holds('Failed'), holds('Degraded')];
  if (failed?.status === 'True') return `Failed ${failed.reason}`;
  if (holds('Complete')?.status === 'True')
    return degraded?.status === 'True' ? `Degraded ${degraded.reason}` : 'Complete';
  return status.phase ?? 'nothing';
}

function problemsOf(world: World, uid: string, status: TraceJobStatus, plan: Case): string[] {
  const problems = [...world.broken];
  const end = endOf(world, uid, status);
  const rests = end === 'deleted' || end === 'Suspended' || isEnded(status);
  if (!rests) problems.push(`it did not end: ${end}`);
  if (plan.deleted && world.jobs.has(uid) && world.jobs.get(uid)?.metadata.deletionTimestamp !== undefined)
    problems.push('deleted, it stayed');
  for (const { name, gone, agent } of world.nodes.values()) {
    if (gone) continue;
    if (agent.attached().length > 0) problems.push(`${name} still has probes attached`);
    if (agent.jobs.size > 0)
      problems.push(`${name} still has ${[...agent.jobs.values()].map(({ report }) => report.phase)}`);
  }
  if (end === 'Complete' && !plan.suspended) problems.push(...inexact(world, uid, status, plan));
  return problems;
}

/** A result that is called whole: each node once, each for all of the job's time but what the rule for late nodes allows. */
function inexact(world: World, uid: string, status: TraceJobStatus, { durationMs, nodes }: Case): string[] {
  const last = world.published.findLast((each) => each.uid === uid);
  if (!last) return ['Complete, and nothing was published'];
  const problems: string[] = [];
  const traced = new Map(last.traced);
  if (traced.size !== last.traced.length) problems.push(`a node is in it twice: ${[...traced.keys()]}`);
  if (status.nodes?.succeeded !== traced.size)
    problems.push(`${status.nodes?.succeeded} nodes counted, ${traced.size} there`);
  const least = durationMs - times.late - 1_000;
  for (const node of nodes) {
    const ms = traced.get(node);
    if (ms === undefined) problems.push(`${node} is missing`);
    else if (ms < least) problems.push(`${node} was traced for ${ms} of ${durationMs} ms`);
  }
  return problems;
}
