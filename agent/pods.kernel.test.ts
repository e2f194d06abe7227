// Pods made of cgroups, as kubelet and the runtimes name them: traced from their first instruction, under the right names, and nobody else.
// Neighbours: agent/pod-scope.ts, agent/pods.ts, bpf/include/scope.bpf.h.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { planTrace } from '../bpf/plan.ts';
import { loadGadget } from '../bpf/registry.ts';
import { native } from '../native/index.ts';
import { readRun } from '../results/run.ts';
import { containerId, type FakePod, makeNode, podUid } from '../test/support/pods.ts';
import { scaled, workload } from '../test/support/workload.ts';
import type { PodTarget } from './api.ts';
import type { SessionRequest } from './plan.ts';
import { type Session, type SessionResult, startSession } from './session.ts';

const opens = await workload('opens');
const environment = { PATH: '/usr/bin:/bin' };
const run = (group: string, ...argv: string[]) => native.spawnInCgroup(group, argv, environment, '/').exited;
const open = (group: string, count: number) => run(group, opens, `${count}`, `${count}`, '/', '/missing');

interface Line {
  namespace: string | null;
  pod: string | null;
  container: string | null;
  path: string;
}

async function started(
  gadget: string,
  mountPoint: string,
  now: PodTarget[],
  use: (session: Session) => Promise<void>,
  more: Partial<SessionRequest> = {},
): Promise<SessionResult & { lines: string[] }> {
  const spool = await mkdtemp(join(tmpdir(), 'sonde-pods-'));
  try {
    const session = await startSession({
      job: { name: 'test', namespace: 'shop', uid: 'test' },
      node: 'node-1',
      plan: planTrace(await loadGadget(gadget), {}),
      targets: [],
      pods: { now, mountPoint },
      durationMs: 60_000,
      budget: {},
      redact: 'None',
      spool,
      ...more,
    });
    try {
      await use(session);
    } finally {
      session.stop('Stopped');
    }
    const result = await session.finished;
    return { ...result, lines: await linesOf(result) };
  } finally {
    await rm(spool, { recursive: true });
  }
}

/** Of stacks, the names of each stack's frames. */
async function linesOf({ meta, rows }: SessionResult): Promise<string[]> {
  if (meta.shape.kind !== 'stacks') return readFileSync(rows, 'utf8').split('\n').slice(0, -1);
  const lines: string[] = [];
  for await (const row of readRun(rows, meta.shape))
    if (row.kind === 'stacks') lines.push(row.frames.map(({ name }) => name).join(';'));
  return lines;
}

const missing = (lines: string[]): Line[] =>
  lines.map((line): Line => JSON.parse(line)).filter(({ path }) => path.includes('missing'));

function counts(lines: Line[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { namespace, pod, container } of lines) {
    const whose = `${namespace}/${pod}/${container}`;
    found[whose] = (found[whose] ?? 0) + 1;
  }
  return found;
}

const styles = ['cgroupfs', 'systemd', 'crio', 'docker', 'static'] as const;
for (const style of styles)
  test(`pods that run already and pods that come are traced by container: ${style}`, async (t) => {
    const node = makeNode(style);
    t.after(() => node.remove());
    const [before, after, stranger] = [node.pod(1), node.pod(2), node.pod(3)];
    const [sandbox, api, sidecar] = [before.container(), before.container(), before.container()];
    const outside = stranger.container();
    const here = before.target('shop', 'here', { api, sidecar });
    const later = after.target('shop', 'later', {});
    const { meta, lines } = await started('open-files', node.mountPoint, [here, later], async (session) => {
      await Promise.all([open(sandbox, 10), open(api, 200), open(sidecar, 300), open(outside, 500)]);
      // Its sandbox first, as a runtime makes it; then a container with a group of its own below.
      await open(after.container(), 7);
      const web = after.container();
      await open(web, 400);
      const nested = join(web, 'init.scope');
      mkdirSync(nested);
      await open(nested, 50);
      await session.retarget([here, after.target('shop', 'later', { web })]);
      assert.equal(session.progress().pods, 2);
    });
    assert.deepEqual(counts(missing(lines)), {
      'shop/here/api': 200,
      'shop/here/sidecar': 300,
      'shop/later/web': 450,
    });
    assert.equal(meta.events.recorded, BigInt(lines.length));
    assert.deepEqual(meta.owners.map(({ container }) => container).sort(), ['api', 'sidecar', 'web']);
  });

test('a pod whose only process runs 50 ms, 20 times, is traced whole each time', async (t) => {
  const node = makeNode('systemd');
  t.after(() => node.remove());
  const uids = Array.from({ length: 20 }, (_, index) => index + 1);
  const targets = (named: Map<number, FakePod>, containers: Map<number, string>): PodTarget[] =>
    uids.map((index) => {
      const group = containers.get(index);
      const pod = named.get(index);
      if (pod === undefined || group === undefined)
        return { uid: podUid(index), namespace: 'shop', name: `crash-${index}`, containers: [] };
      return pod.target('shop', `crash-${index}`, { main: group });
    });
  const pods = new Map<number, FakePod>();
  const groups = new Map<number, string>();
  const each = scaled(100);
  const { meta, lines } = await started(
    'open-files',
    node.mountPoint,
    targets(pods, groups),
    async (session) => {
      for (const index of uids) {
        const pod = node.pod(index);
        pod.container();
        const group = pod.container();
        const script = `${opens} ${each} ${each} / /missing; sleep 0.05; exit 3`;
        assert.equal((await run(group, '/bin/sh', '-c', script)).code, 3);
        pod.remove();
        pods.set(index, pod);
        groups.set(index, group);
      }
      await session.retarget(targets(pods, groups));
    },
  );
  assert.deepEqual(
    counts(missing(lines)),
    Object.fromEntries(uids.map((index) => [`shop/crash-${index}/main`, each])),
  );
  assert.equal(meta.events.lost, 0n);
});

test('a container that is started again and again is one row, under the name that came late', async (t) => {
  const node = makeNode('cgroupfs');
  t.after(() => node.remove());
  const pod = node.pod(1);
  pod.container();
  const groups: string[] = [];
  const { lines } = await started(
    'syscall-counts',
    node.mountPoint,
    [pod.target('shop', 'crash', {})],
    async (session) => {
      for (let start = 0; start < 20; start++) {
        const group = pod.container();
        await open(group, 100);
        rmdirSync(group);
        groups.push(group);
      }
      const containers = groups.map((group) => ({ name: 'main', id: `containerd://${containerId(group)}` }));
      await session.retarget([{ ...pod.target('shop', 'crash', {}), containers }]);
    },
  );
  const rows = lines
    .map((line): { key: unknown[]; value: number[] } => JSON.parse(line))
    .filter(({ key }) => key.includes('openat'));
  assert.deepEqual(
    rows.map(({ key }) => key.slice(0, 4)),
    [['node-1', 'shop', 'crash', 'main']],
  );
  // Every second one by openat.
  assert.equal(rows[0]?.value[0], 20 * 50);
});

test('rows of containers that nobody asked for are not in the result, whenever that is known', async (t) => {
  const node = makeNode('systemd');
  t.after(() => node.remove());
  const pod = node.pod(1);
  const [sandbox, api, proxy] = [pod.container(), pod.container(), pod.container()];
  const only = { only: ['api', 'late'] };
  const now = { ...pod.target('shop', 'checkout', { api, proxy }), ...only };
  const { meta, lines } = await started('open-files', node.mountPoint, [now], async (session) => {
    await Promise.all([open(sandbox, 20), open(api, 100), open(proxy, 200)]);
    const [late, other, nameless] = [pod.container(), pod.container(), pod.container()];
    await Promise.all([open(late, 300), open(other, 400), open(nameless, 500)]);
    await session.retarget([{ ...pod.target('shop', 'checkout', { api, proxy, late, other }), ...only }]);
    await open(other, 600);
  });
  assert.deepEqual(counts(missing(lines)), { 'shop/checkout/api': 100, 'shop/checkout/late': 300 });
  assert.equal(meta.events.recorded, BigInt(lines.length));
});

test('a container that nobody named has its id for a name, and a session without pods goes on until its end', async (t) => {
  const node = makeNode('cgroupfs');
  t.after(() => node.remove());
  let group = '';
  const { meta, lines } = await started(
    'open-files',
    node.mountPoint,
    [],
    async (session) => {
      await setTimeout(300);
      const pod = node.pod(1);
      pod.container();
      await session.retarget([pod.target('shop', 'new', {})]);
      group = pod.container();
      await open(group, 100);
      assert.equal((await session.finished).meta.ended, 'Duration');
    },
    { durationMs: 1500 },
  );
  assert.deepEqual(counts(missing(lines)), { [`shop/new/${basename(group)}`]: 100 });
  assert.equal(meta.ended, 'Duration');
});

test('processes of a pod that runs already have names in their stacks', async (t) => {
  const node = makeNode('cgroupfs');
  t.after(() => node.remove());
  const burns = await workload('burns');
  const pod = node.pod(1);
  pod.container();
  const group = pod.container();
  // Until the session has started, in an emulated guest too.
  const seconds = process.env.SONDE_GUEST === undefined ? '2' : '8';
  const burning = run(group, burns, seconds, '0');
  await setTimeout(200);
  const { lines } = await started('cpu-profile', node.mountPoint, [], async (session) => {
    await session.retarget([pod.target('shop', 'busy', { main: group })]);
    await burning;
  });
  assert.ok(
    lines.some((line) => line.includes('burn')),
    lines[0],
  );
});
