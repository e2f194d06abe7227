// A session's life as a pure state machine: what happened in, what to do out. agent/session.ts does it.
//   Preparing → Running → Draining → Ended

import type { ResultMeta } from '../results/shape.ts';
import { type BudgetDecision, decide, type Limits, type Spent } from './budget.ts';

export type Ended = ResultMeta['ended'];

export type State =
  | { phase: 'Preparing' }
  | { phase: 'Running'; deadline: number | undefined; sampledBy: number; over: number }
  | { phase: 'Draining'; ended: Ended; sampledBy: number }
  | { phase: 'Ended'; ended: Ended; sampledBy: number };

/** Times in ms of one monotonic clock. */
export type Input =
  | { kind: 'Attached'; now: number; durationMs: number | undefined }
  | {
      kind: 'Tick';
      now: number;
      spent: Spent /** Absent: nothing ends the job by going. */;
      targetsLeft?: number;
    }
  | { kind: 'Stop'; ended: Ended }
  | { kind: 'Drained' };

export type Action =
  | { kind: 'SetSampling'; every: number }
  | { kind: 'Warn'; reason: string; message: string }
  /** Detach every program now, then drain, read and write what there is. */
  | { kind: 'Finish' };

export const initial: State = { phase: 'Preparing' };

/** The next state and what it asks for. An input that makes no sense in a state changes nothing. */
export function step(state: State, input: Input, budget: Limits): { state: State; actions: Action[] } {
  if (state.phase === 'Preparing' && input.kind === 'Attached') {
    const deadline = input.durationMs === undefined ? undefined : input.now + input.durationMs;
    return { state: { phase: 'Running', deadline, sampledBy: 1, over: 0 }, actions: [] };
  }
  if (state.phase === 'Preparing' && input.kind === 'Stop')
    return { state: { phase: 'Ended', ended: input.ended, sampledBy: 1 }, actions: [{ kind: 'Finish' }] };
  if (state.phase === 'Running' && input.kind === 'Stop') return finish(state.sampledBy, input.ended);
  if (state.phase === 'Running' && input.kind === 'Tick') return tick(state, input, budget);
  if (state.phase === 'Draining' && input.kind === 'Drained')
    return { state: { ...state, phase: 'Ended' }, actions: [] };
  return { state, actions: [] };
}

function tick(
  state: State & { phase: 'Running' },
  input: Input & { kind: 'Tick' },
  budget: Limits,
): { state: State; actions: Action[] } {
  if (state.deadline !== undefined && input.now >= state.deadline) return finish(state.sampledBy, 'Duration');
  if (input.targetsLeft === 0) return finish(state.sampledBy, 'TargetGone');
  const over = budget.cpu !== undefined && input.spent.cpu > budget.cpu ? state.over + 1 : 0;
  const decision: BudgetDecision = decide(budget, input.spent, { sampledBy: state.sampledBy, over });
  if (decision.kind === 'Keep') return { state: { ...state, over }, actions: [] };
  const warning: Action = { kind: 'Warn', reason: 'OverBudget', message: decision.message };
  if (decision.kind === 'Sample')
    return {
      state: { ...state, sampledBy: decision.every, over: 0 },
      actions: [{ kind: 'SetSampling', every: decision.every }, warning],
    };
  const ended = finish(state.sampledBy, 'Budget');
  return { state: ended.state, actions: [warning, ...ended.actions] };
}

function finish(sampledBy: number, ended: Ended): { state: State; actions: Action[] } {
  return { state: { phase: 'Draining', ended, sampledBy }, actions: [{ kind: 'Finish' }] };
}
