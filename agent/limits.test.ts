import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentError, type AgentReason } from './errors.ts';
import { checkLimits } from './limits.ts';
import type { SessionRequest } from './plan.ts';

const good: SessionRequest = {
  job: { name: 'checkout', namespace: null, uid: '1' },
  node: 'a',
  plan: {
    trace: 'open-files',
    parameters: {},
    subject: 'current',
    source: {
      kind: 'table',
      map: 'm',
      counts: 'n',
      shape: { kind: 'table', keys: [], values: [], sort: '' },
    },
    programs: [],
    hitCost: { outsideNs: 1, insideNs: 1 },
    variables: {},
    maxEntries: { counts: 1000 },
  },
  targets: [{ kind: 'process', pid: 1, owner: { namespace: null, pod: null, container: null } }],
  durationMs: 1000,
  budget: {},
  redact: 'Secrets',
  spool: '/tmp',
};

const bad: [name: string, change: Partial<SessionRequest>, reason: AgentReason, says: RegExp][] = [
  [
    'a name that leaves its folder',
    { plan: { ...good.plan, trace: '../../etc' } },
    'LimitExceeded',
    /gadget's name/,
  ],
  ['a duration of nothing', { durationMs: 0 }, 'LimitExceeded', /100 ms to 24 h/],
  ['a duration of a year', { durationMs: 365 * 86_400_000 }, 'LimitExceeded', /100 ms to 24 h/],
  ['a duration that is no number', { durationMs: Number.NaN }, 'LimitExceeded', /100 ms to 24 h/],
  ['no target', { targets: [] }, 'ScopeEmpty', /nothing is in scope/],
  ['a map of 2^40 entries', { plan: { ...good.plan, maxEntries: { m: 2 ** 40 } } }, 'LimitExceeded', /map m/],
  ['a map of 2^21 entries', { plan: { ...good.plan, maxEntries: { m: 2 ** 21 } } }, 'LimitExceeded', /map m/],
  [
    'a ring of 128 MiB',
    { plan: { ...good.plan, maxEntries: { events: 128 << 20 } } },
    'LimitExceeded',
    /map events/,
  ],
  ['half a map entry', { plan: { ...good.plan, maxEntries: { m: 0.5 } } }, 'LimitExceeded', /map m/],
  ['a budget below zero', { budget: { cpu: -1 } }, 'LimitExceeded', /budget\.cpu/],
];

test('a plan within the limits passes', () => checkLimits(good));

for (const [name, change, reason, says] of bad)
  test(`${name} is refused`, () => {
    assert.throws(
      () => checkLimits({ ...good, ...change }),
      (error) => error instanceof AgentError && error.reason === reason && says.test(error.message),
    );
  });
