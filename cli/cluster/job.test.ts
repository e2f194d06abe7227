// Jobs as they are read from an API server, and how they are told of: whatever they hold, a terminal is safe.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CliError } from '../errors.ts';
import type { Screen } from '../progress.ts';
import { fullName, readJobName, restOf, shortName, viewOf } from './job.ts';
import { startLive } from './live.ts';
import { nodeFindings, nodesIn } from './nodes.ts';
import { jobTable } from './print.ts';
import { refusal } from './refused.ts';
import { age, endNotes, failureOf, news, statusLine } from './words.ts';

const condition = (type: string, reason: string, status = 'True') => ({
  type,
  status,
  reason,
  message: `${reason} it is`,
});

test('names are taken as kubectl takes them', () => {
  const read = (name: string) => {
    const ref = readJobName(name, 'shop');
    return [ref.kind, ref.namespace, ref.name];
  };
  for (const name of [
    'a.b',
    'tj/a.b',
    'tracejob/a.b',
    'tracejobs/a.b',
    'tracejob.sonde.dev/a.b',
    'TraceJob.v1alpha1.sonde.dev/a.b',
  ])
    assert.deepEqual(read(name), ['TraceJob', 'shop', 'a.b']);
  for (const name of ['ctj/a', 'clustertracejobs.sonde.dev/a'])
    assert.deepEqual(read(name), ['ClusterTraceJob', undefined, 'a']);
  const cluster = readJobName('ctj/a', 'shop');
  assert.deepEqual([fullName(cluster), shortName(cluster)], ['clustertracejob.sonde.dev/a', 'ctj/a']);
  for (const wrong of ['', '/', 'pod/a', 'tj/', 'tj/a/b', 'A', '../a', 'a/../b', 'a\x1b'])
    assert.throws(() => readJobName(wrong, 'shop'), CliError, wrong);
});

test('a job rests when it is complete, has failed, or was suspended as its operator has seen', () => {
  const rest = (generation: number, status: object) => restOf(viewOf({ metadata: { generation }, status }));
  assert.equal(rest(1, { conditions: [condition('Complete', 'Published')] }), 'Complete');
  assert.equal(rest(1, { conditions: [condition('Failed', 'NoPods')] }), 'Failed');
  assert.equal(
    rest(1, { conditions: [condition('Complete', 'NotEnded', 'False')], phase: 'Running' }),
    undefined,
  );
  assert.equal(rest(2, { phase: 'Suspended', observedGeneration: 2 }), 'Suspended');
  assert.equal(rest(2, { phase: 'Suspended', observedGeneration: 1 }), undefined);
});

test('a running job is one line; what changes is said once', () => {
  const spec = { trace: { cpuProfile: {} }, duration: '30s' };
  const at = (status: object) =>
    viewOf({ kind: 'TraceJob', metadata: { name: 'a', generation: 1 }, spec, status });
  const running = at({
    phase: 'Running',
    startTime: '2026-11-24T10:00:00Z',
    nodes: { matched: 3, running: 2, failed: 1 },
    pods: { matched: 6, traced: 5 },
    events: { seen: 12_345, recorded: 12_340, lost: 5, sampledBy: 4 },
    overhead: { cpu: '12m', memory: '24Mi' },
    conditions: [condition('Attached', 'NodeBusy', 'False')],
    failures: [{ node: 'n3', reason: 'NoAgentOnNode', message: 'no agent is ready on it' }],
  });
  const now = Date.parse('2026-11-24T10:00:12Z');
  assert.equal(
    statusLine(running, now),
    'Running  12 s of 30 s  2 of 3 nodes, 5 of 6 pods  12,340 recorded (1 of 4), 5 lost  cost 12m CPU, 24Mi a node  1 node failed',
  );
  // The cluster's clock is ahead of this machine's.
  assert.match(statusLine(running, now - 60_000), /^Running {2}0\.0 s of 30 s/);
  assert.deepEqual(news(undefined, running), ['n3: NoAgentOnNode: no agent is ready on it']);
  assert.deepEqual(news(running, running), []);
  const waiting = at({ phase: 'Pending', conditions: [condition('Accepted', 'NoPodsYet')] });
  assert.deepEqual(news(undefined, waiting), ['waiting: NoPodsYet it is']);
  assert.deepEqual(news(undefined, at({ conditions: [condition('Attached', 'NodeBusy', 'False')] })), [
    'waiting: NodeBusy: NodeBusy it is',
  ]);
  assert.equal(failureOf(running)?.code, 'JobNotEnded');
});

test('a terminal gets one line redrawn, never wider than it is', () => {
  const writes: string[] = [];
  const screen: Screen = { write: (text) => void writes.push(text), isTTY: true, columns: 40 };
  const live = startLive(screen, () => 0);
  live.show(
    viewOf({
      status: {
        phase: 'Running',
        nodes: { matched: 1000, running: 1000 },
        pods: { matched: 5000, traced: 5000 },
      },
    }),
  );
  live.say('a note');
  live.end();
  const written = writes.join('');
  for (const line of written.replaceAll('\r\x1b[K', '\n').split('\n')) assert.ok(line.length < 40, line);
  assert.match(written, /a note\n/);
  assert.ok(written.endsWith('\n'));
});

test('ages are as kubectl shows them', () => {
  const shown = [0, 119, 120, 185, 3600, 10_800, 12_600, 86_400, 172_800].map((seconds) =>
    age(seconds * 1000),
  );
  assert.deepEqual(shown, ['0s', '119s', '2m', '3m5s', '60m', '3h', '3h30m', '24h', '2d']);
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not see them
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

test('whatever a cluster sends, nothing is thrown and nothing moves the cursor', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\x1b[2J', '\u202e', 'a\nb', '__proto__', 'True', 'Attached', 'Complete', 'Failed'),
  );
  const value = fc.oneof(
    hostile,
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, true, [], {}),
    fc.array(fc.object({ maxDepth: 1 })),
  );
  const record = (keys: string[]) =>
    fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });
  const conditions = fc.oneof(
    value,
    fc.array(record(['type', 'status', 'reason', 'message']), { maxLength: 20 }),
  );
  const status = fc.oneof(
    value,
    fc.record(
      {
        ...Object.fromEntries(
          ['phase', 'trace', 'startTime', 'headline', 'summary', 'failuresOmitted', 'observedGeneration'].map(
            (key) => [key, value],
          ),
        ),
        ...{
          nodes: fc.oneof(value, record(['matched', 'failed'])),
          pods: value,
          events: fc.oneof(value, record(['lost', 'recorded'])),
        },
        overhead: fc.oneof(value, record(['cpu', 'memory'])),
        conditions,
        failures: fc.array(record(['node', 'reason', 'message'])),
        artifacts: fc.array(record(['name', 'bytes', 'sha256'])),
      },
      { requiredKeys: [] },
    ),
  );
  const object = fc.record({
    kind: value,
    metadata: fc.oneof(value, record(['name', 'namespace', 'uid', 'generation'])),
    spec: value,
    status,
  });
  fc.assert(
    fc.property(object, (given) => {
      const job = viewOf(given);
      const table = jobTable([job], { now: 0, namespaces: true, wide: true, headers: true });
      assert.equal(table.split('\n').length, 3);
      const told = [
        table,
        statusLine(job, 0),
        ...news(undefined, job),
        ...endNotes(job),
        ...job.summary,
        failureOf(job)?.message ?? '',
      ];
      for (const text of told) assert.doesNotMatch(text, control);
    }),
    { numRuns: 300 },
  );
});

test('whatever refuses, an error says what was tried, and nothing moves the cursor', () => {
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.string().map((message) =>
      JSON.stringify({
        kind: 'Status',
        message,
        details: { kind: 'x', causes: [{ field: message, message }, null, 3] },
      }),
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), body, (code, text) => {
      const { message } = refusal('create it', code, text);
      assert.match(message, /^can't create it: /);
      assert.doesNotMatch(message.replaceAll('\n  ', ''), control);
    }),
    { numRuns: 1000 },
  );
});

test('whatever the nodes are said to be, doctor shows it safely', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const { message, advice = '' } of nodeFindings(nodesIn(text), 'sonde-system'))
        assert.doesNotMatch(message + advice, control);
    }),
  );
  const three = ['a', 'b', 'c', 'd'].map((node) => ({
    node,
    version: '1',
    kernel: 'k',
    arch: 'x86',
    gadgets: [],
  }));
  assert.equal(nodeFindings(nodesIn(JSON.stringify(three)), 'x')[0]?.about, 'a, b, c and 1 more');
});
