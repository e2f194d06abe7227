// Sessions as their callers see them: how they end, what they keep, what they leave behind. Neighbours: agent/session.ts, test/support/trace.ts (gadgets' tests).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { planTrace } from '../bpf/plan.ts';
import { gadgetNames, loadGadget } from '../bpf/registry.ts';
import { native } from '../native/index.ts';
import { makeGroup } from '../test/support/trace.ts';
import { scaled, workload } from '../test/support/workload.ts';
import { AgentError } from './errors.ts';
import type { SessionRequest, Target } from './plan.ts';
import { type Session, type SessionResult, startSession } from './session.ts';

const opens = await workload('opens');
const guest = process.env.SONDE_GUEST !== undefined;
/** Arguments of `opens`: so many that fail. */
const failing = (count: number): string[] => [String(scaled(count)), String(scaled(count)), '/', '/missing'];
const environment = { PATH: '/usr/bin:/bin' };
const run = (group: string, ...argv: string[]) => native.spawnInCgroup(group, argv, environment, '/').exited;
const group = (path: string, container = basename(path)): Target => ({
  kind: 'cgroup',
  path,
  owner: { namespace: null, pod: null, container },
});
const tree = (pid: number): Target => ({
  kind: 'process',
  pid,
  owner: { namespace: null, pod: null, container: 'tree' },
});

interface Row {
  time: string;
  container: string;
  path: string;
  arguments: string[];
  filename: string;
}

async function start(
  gadget: string,
  targets: Target[],
  more: Partial<Omit<SessionRequest, 'plan'>> & { spool: string; ring?: number },
): Promise<Session> {
  const { ring, ...rest } = more;
  const plan = planTrace(await loadGadget(gadget), {});
  if (ring !== undefined) plan.maxEntries = { ...plan.maxEntries, events: ring };
  const job = { name: 'test', namespace: null, uid: `test-${process.pid}` };
  return await startSession({ job, node: 'node', plan, targets, budget: {}, redact: 'None', ...rest });
}

async function inFolder(use: (spool: string) => Promise<void>): Promise<void> {
  const spool = await mkdtemp(join(tmpdir(), 'sonde-session-'));
  try {
    await use(spool);
  } finally {
    await rm(spool, { recursive: true });
  }
}

const linesOf = ({ rows }: SessionResult): string[] => readFileSync(rows, 'utf8').split('\n').slice(0, -1);
const rowsOf = (result: SessionResult): Row[] => linesOf(result).map((line) => JSON.parse(line));
const missing = (rows: Row[], container?: string) =>
  rows.filter((row) => row.path.includes('missing') && (container ?? row.container) === row.container);

test('two sessions in one process see their own groups only, and every row seen is a line of the file', async (t) => {
  const one = makeGroup();
  const two = makeGroup();
  t.after(() => Promise.all([one.remove(), two.remove()]));
  await inFolder((spoolOne) =>
    inFolder(async (spoolTwo) => {
      const sessions = [
        await start('open-files', [group(one.path)], { spool: spoolOne }),
        await start('open-files', [group(two.path)], { spool: spoolTwo }),
      ];
      await Promise.all([run(one.path, opens, ...failing(30_000)), run(two.path, opens, ...failing(20_000))]);
      for (const session of sessions) session.stop('Stopped');
      const results = await Promise.all(sessions.map(({ finished }) => finished));
      for (const [index, result] of results.entries()) {
        const rows = rowsOf(result);
        const { path } = index === 0 ? one : two;
        assert.equal(missing(rows, basename(path)).length, scaled(index === 0 ? 30_000 : 20_000));
        assert.deepEqual(new Set(rows.map(({ container }) => container)), new Set([basename(path)]));
        assert.equal(result.meta.events.recorded, BigInt(rows.length));
        assert.equal(result.meta.events.seen, result.meta.events.recorded);
      }
    }),
  );
});

test('rows of two busy containers are in order of time', async (t) => {
  const one = makeGroup();
  const two = makeGroup();
  t.after(() => Promise.all([one.remove(), two.remove()]));
  await inFolder(async (spool) => {
    const session = await start('open-files', [group(one.path), group(two.path)], { spool });
    const flood = failing(100_000);
    await Promise.all([run(one.path, opens, ...flood), run(two.path, opens, ...flood)]);
    session.stop('Stopped');
    const result = await session.finished;
    const rows = rowsOf(result);
    assert.equal(missing(rows).length, 2 * scaled(100_000));
    assert.equal(result.meta.events.lost, 0n);
    assert.ok(rows.every(({ time }, index) => index === 0 || time >= (rows[index - 1]?.time ?? '')));
  });
});

test('who floods a small ring loses events; a neighbour within its share loses none', async (t) => {
  const flooder = makeGroup();
  const quiet = makeGroup();
  t.after(() => Promise.all([flooder.remove(), quiet.remove()]));
  await inFolder(async (spool) => {
    const targets = [group(flooder.path, 'flooder'), group(quiet.path, 'quiet')];
    const session = await start('open-files', targets, { spool, ring: 256 << 10 });
    const flood = failing(150_000);
    const floods = [run(flooder.path, opens, ...flood), run(flooder.path, opens, ...flood)];
    // In portions that its share of the ring takes, whenever the reader comes by.
    for (let portion = 0; portion < 10; portion++) {
      await run(quiet.path, opens, '100', '100', '/', '/missing');
      await setTimeout(20);
    }
    await Promise.all(floods);
    session.stop('Stopped');
    const result = await session.finished;
    const rows = rowsOf(result);
    const { losses } = result.meta.events;
    const lost = losses.reduce(
      (sum, { owner, count }) => sum + (owner.container === 'flooder' ? count : 0n),
      0n,
    );
    assert.equal(missing(rows, 'quiet').length, 1000);
    assert.ok(losses.every(({ owner }) => owner.container === 'flooder'));
    assert.equal(missing(rows, 'flooder').length + Number(lost), 2 * scaled(150_000));
  });
});

test('groups made inside while it runs are followed, also when they are made again by the same name', async (t) => {
  const outer = makeGroup();
  t.after(() => outer.remove());
  await inFolder(async (spool) => {
    const session = await start('open-files', [group(outer.path, 'outer')], { spool });
    for (let round = 0; round < 3; round++) {
      const inner = join(outer.path, 'pod', 'container');
      mkdirSync(inner, { recursive: true });
      await run(inner, opens, '100', '100', '/', '/missing');
      await removed(inner);
      await removed(join(outer.path, 'pod'));
    }
    session.stop('Stopped');
    assert.equal(missing(rowsOf(await session.finished), 'outer').length, 300);
  });
});

test('a target that is gone ends the job, even when another group has its name by then', async () => {
  const first = makeGroup();
  await inFolder(async (spool) => {
    const session = await start('open-files', [group(first.path)], { spool });
    await run(first.path, opens, '100', '100', '/', '/missing');
    await removed(first.path);
    mkdirSync(first.path);
    const result = await session.finished;
    rmdirSync(first.path);
    assert.equal(result.meta.ended, 'TargetGone');
    assert.equal(missing(rowsOf(result)).length, 100);
  });
});

test('a process that has ended ends the job', async (t) => {
  const place = makeGroup();
  t.after(() => place.remove());
  await inFolder(async (spool) => {
    const { pid } = native.spawnInCgroup(place.path, ['/bin/sleep', '60'], environment, '/');
    const session = await start('open-files', [tree(pid)], { spool });
    process.kill(pid);
    assert.equal((await session.finished).meta.ended, 'TargetGone');
  });
});

test('what is no target is refused in words: an ordinary folder, a missing group, a thread, a missing process', async () => {
  const thread = readdirSync('/proc/self/task')
    .map(Number)
    .find((id) => id !== process.pid);
  const wrong: [Target, RegExp][] = [
    [group('/tmp'), /\/tmp is no cgroup2 group/],
    [group('/sys/fs/cgroup/nothing-here'), /is not there/],
    [tree(thread ?? 0), new RegExp(`is a thread, not a process: its process is ${process.pid}`)],
    [tree(2 ** 22 + 1), /no process/],
  ];
  for (const [target, message] of wrong)
    await inFolder((spool) =>
      assert.rejects(start('open-files', [target], { spool }), { reason: 'TargetMissing', message }),
    );
  const { programs, maps, links } = native.held();
  assert.deepEqual({ programs, maps, links }, { programs: 0, maps: 0, links: 0 });
});

test('secrets in arguments do not reach the file, and with All no argument and no path does', async (t) => {
  const place = makeGroup();
  t.after(() => place.remove());
  const commands = [
    ['--password=hunter2,and more'],
    ['--token', 'hunter2'],
    ['Authorization: Bearer hunter2abc'],
    ['https://me:hunter2@host/'],
    ['PGPASSWORD=hunter2'],
    ['{"api_key": "hunter2"}'],
  ];
  for (const redact of ['Secrets', 'All'] as const)
    await inFolder(async (spool) => {
      const session = await start('process-exec', [group(place.path)], { spool, redact });
      for (const words of commands) await run(place.path, '/bin/true', ...words);
      session.stop('Stopped');
      const result = await session.finished;
      assert.equal(linesOf(result).length, commands.length);
      assert.ok(linesOf(result).every((line) => !line.includes('hunter2')));
      const hidden = rowsOf(result).every(
        (row) => row.filename === '[redacted]' && row.arguments.length === 1,
      );
      assert.equal(hidden, redact === 'All');
    });
});

test('a full disk ends the job and keeps every line that it took, also of commands that are completed late', async (t) => {
  const place = makeGroup();
  t.after(() => place.remove());
  await inFolder(async (spool) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${guest ? 192 : 512}k`, 'tmpfs', spool]);
    try {
      const session = await start('process-exec', [group(place.path, 'full')], { spool });
      const loop =
        'i=0; while [ $i -lt $n ]; do [ $((i % 100)) = 0 ] && /bin/sleep 0.6 & /bin/true $0; i=$((i+1)); done; wait';
      const script = `n=${guest ? 400 : 1500}; ${loop}`;
      await run(place.path, '/bin/sh', '-c', script, 'x'.repeat(300));
      session.stop('CommandExited');
      const result = await session.finished;
      assert.equal(result.meta.ended, 'Failed');
      assert.match(result.meta.warnings[0]?.message ?? '', /ENOSPC/);
      assert.equal(BigInt(rowsOf(result).length), result.meta.events.recorded);
      // What lies in several files is merged at the end, for which 64 KiB are kept free: of the guest's smaller disk that leaves less.
      assert.ok(
        result.meta.events.recorded > (guest ? 30n : 100n),
        `${result.meta.events.recorded} recorded`,
      );
      assert.ok(result.meta.events.losses.some(({ reason }) => reason === 'DiskFull'));
    } finally {
      execFileSync('umount', [spool]);
    }
  });
});

test('a budget for events is kept to the event, and what lies beyond it is counted', async (t) => {
  const place = makeGroup();
  t.after(() => place.remove());
  await inFolder(async (spool) => {
    const session = await start('open-files', [group(place.path, 'busy')], {
      spool,
      budget: { events: 1000 },
    });
    const busy = run(place.path, opens, ...failing(400_000));
    const result = await session.finished;
    await busy;
    assert.equal(result.meta.ended, 'Budget');
    assert.equal(result.meta.events.recorded, 1000n);
    assert.equal(linesOf(result).length, 1000);
    assert.ok(result.meta.events.lost > 0n);
    assert.deepEqual(new Set(result.meta.events.losses.map(({ reason }) => reason)), new Set(['Budget']));
  });
});

test('ten rounds of every gadget leave no program, map, link, descriptor or thread behind', async (t) => {
  // Three where a session takes more than a second to start and end, emulated in a guest.
  const total = scaled(10, 3);
  const place = makeGroup();
  t.after(() => place.remove());
  const threads = () => readdirSync('/proc/self/task').length;
  const round = async (gadget: string): Promise<void> =>
    inFolder(async (spool) => {
      const session = await start(gadget, [group(place.path)], { spool });
      session.stop('Stopped');
      session.stop('Stopped');
      assert.equal((await session.finished).meta.ended, 'Stopped');
    });
  for (const gadget of gadgetNames()) {
    try {
      await round(gadget);
    } catch (error) {
      // Guests have no libpcap to capture with.
      if (gadget === 'packet-capture' && error instanceof AgentError && error.reason === 'ObjectMissing')
        continue;
      throw error;
    }
    const before = { ...native.held(), threads: threads() };
    for (let rounds = 1; rounds < total; rounds++) await round(gadget);
    assert.deepEqual({ ...native.held(), threads: threads() }, before, gadget);
    assert.equal(before.programs + before.maps + before.links, 0);
  }
});

/** Removes a group as soon as its last process has left it. */
async function removed(path: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      rmdirSync(path);
      return;
    } catch {
      await setTimeout(10);
    }
  }
  rmdirSync(path);
}
