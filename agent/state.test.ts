import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Spent } from './budget.ts';
import type { Budget } from './plan.ts';
import { type Input, initial, type State, step } from './state.ts';

const idle: Spent = { cpu: 0, memoryBytes: 0, events: 0, artifactBytes: 0 };

function run(inputs: Input[], budget: Budget = {}) {
  let state: State = initial;
  const actions = inputs.flatMap((input) => {
    const next = step(state, input, budget);
    state = next.state;
    return next.actions.map((action) => action.kind);
  });
  return { state, actions };
}

const attached: Input = { kind: 'Attached', now: 0, durationMs: 1000 };
const tick = (now: number, spent: Partial<Spent> = {}, targetsLeft = 1): Input => ({
  kind: 'Tick',
  now,
  spent: { ...idle, ...spent },
  targetsLeft,
});

test('a session ends at its deadline, not before', () => {
  assert.equal(run([attached, tick(999)]).state.phase, 'Running');
  const { state, actions } = run([attached, tick(1000), { kind: 'Drained' }]);
  assert.deepEqual(state, { phase: 'Ended', ended: 'Duration', sampledBy: 1 });
  assert.deepEqual(actions, ['Finish']);
});

test('a stop counts once, whatever comes after it', () => {
  const { state, actions } = run([
    attached,
    { kind: 'Stop', ended: 'CommandExited' },
    { kind: 'Stop', ended: 'Stopped' },
    tick(5000),
    { kind: 'Drained' },
  ]);
  assert.deepEqual(state, { phase: 'Ended', ended: 'CommandExited', sampledBy: 1 });
  assert.deepEqual(actions, ['Finish']);
});

test('a session whose targets are all gone ends', () => {
  const { state } = run([attached, tick(10, {}, 0)]);
  assert.deepEqual(state, { phase: 'Draining', ended: 'TargetGone', sampledBy: 1 });
});

test('over its CPU budget for three ticks it samples, by the excess, then ends when that does not help', () => {
  const hot = { cpu: 0.08 };
  const once = run([attached, tick(1, hot), tick(2, hot), tick(3, hot)], { cpu: 0.02 });
  assert.deepEqual(once.actions, ['SetSampling', 'Warn']);
  assert.equal(once.state.phase === 'Running' && once.state.sampledBy, 4);
  const many = Array.from({ length: 30 }, (_, index) => tick(10 + index, hot));
  const ended = run([attached, ...many], { cpu: 0.02 });
  assert.equal(ended.state.phase === 'Draining' && ended.state.ended, 'Budget');
});

test('a burst over budget shorter than three ticks changes nothing', () => {
  const hot = { cpu: 1 };
  const { actions } = run([attached, tick(1, hot), tick(2, hot), tick(3), tick(4, hot), tick(5, hot)], {
    cpu: 0.02,
  });
  assert.deepEqual(actions, []);
});

for (const [name, budget, spent] of [
  ['events', { events: 100 }, { events: 100 }],
  ['memory', { memoryBytes: 1000 }, { memoryBytes: 1001 }],
  ['artifact bytes', { artifactBytes: 10 }, { artifactBytes: 11 }],
] as const)
  test(`a session over its budget of ${name} ends with what it has`, () => {
    const { state, actions } = run([attached, tick(1, spent)], budget);
    assert.equal(state.phase === 'Draining' && state.ended, 'Budget');
    assert.deepEqual(actions, ['Warn', 'Finish']);
  });
