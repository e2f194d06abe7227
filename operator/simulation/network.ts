// The way between the operator and an agent: slow, lossy, doubling, cut now and then. Neighbours: operator/simulation/agent.ts (behind it), agent/api.ts.

import { type AgentApi, AgentCallError, type Report } from '../../agent/api.ts';
import type { Clock } from '../clock.ts';
import type { SimulatedAgent } from './agent.ts';
import type { Chance } from './time.ts';

export interface Weather {
  /** A message is lost; a request is delivered twice; a report arrives late and so out of order; a stream breaks at a report. */
  lost: number;
  doubled: number;
  late: number;
  broken: number;
  mostDelayMs: number;
}

export const calm: Weather = { lost: 0, doubled: 0, late: 0, broken: 0, mostDelayMs: 5 };

export interface Line {
  api: AgentApi;
  /** Nothing goes through any more, and what is under way is lost. */
  cut(): void;
  restore(): void;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

export function lineTo(
  agent: () => SimulatedAgent | undefined,
  clock: Clock,
  chance: Chance,
  weather: () => Weather,
): Line {
  let open = true;
  const streams = new Set<(error: AgentCallError) => void>();
  const unreachable = () => new AgentCallError('Unreachable', 'connection refused');

  /** Delivers, does, answers; any of these may be lost, and then no answer ever comes, or an error by a time-out below. */
  function call<T>(ask: (agent: SimulatedAgent) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { lost, doubled, mostDelayMs } = weather();
    const silent = chance.happens(0.5);
    const deliver = (answers: boolean) => {
      clock.after(chance.between(1, mostDelayMs), () => {
        const there = agent();
        if (!open || there === undefined) return answers ? reject(unreachable()) : undefined;
        let answer: T;
        try {
          answer = ask(there);
        } catch (error) {
          return answers ? reject(error as Error) : undefined;
        }
        if (!answers) return;
        if (chance.happens(lost)) return silent ? undefined : reject(unreachable());
        clock.after(chance.between(1, mostDelayMs), () => resolve(answer));
      });
    };
    if (chance.happens(lost)) {
      if (!silent) clock.after(mostDelayMs, () => reject(unreachable()));
    } else deliver(true);
    if (chance.happens(doubled)) deliver(false);
    return promise;
  }

  const api: AgentApi = {
    describe: () => call((there) => there.describe()),
    retarget: (uid, pods) => call((there) => there.retarget(uid, pods)),
    stop: (uid, discard) => call((there) => there.stop(uid, discard)),
    acknowledge: (uid) => call((there) => there.acknowledge(uid)),
    upload: () => Promise.reject(new AgentCallError('Refused', 'a run of no files')),
    fetch: async (uid) => ({
      head: await call((there) => there.fetch(uid)),
      rows: nothing(),
    }),
    close() {},
    run(order, signal) {
      return stream(order, signal);
    },
  };

  function stream(order: Parameters<AgentApi['run']>[0], signal: AbortSignal): AsyncIterable<Report> {
    const arrived: Report[] = [];
    let wake: (() => void) | undefined;
    let error: AgentCallError | undefined;
    let ended = false;
    let leave: (() => unknown) | undefined;
    const fail = (why: AgentCallError) => {
      error ??= why;
      streams.delete(fail);
      leave?.();
      wake?.();
    };
    streams.add(fail);
    signal.addEventListener('abort', () => fail(unreachable()));
    const receive = (report: Report) => {
      const { late, broken, lost, mostDelayMs } = weather();
      if (chance.happens(broken)) return fail(unreachable());
      if (chance.happens(lost)) return;
      const delay = chance.between(1, mostDelayMs) + (chance.happens(late) ? chance.between(0, 3000) : 0);
      clock.after(delay, () => {
        if (error) return;
        arrived.push(report);
        if (report.phase === 'Finished' || report.phase === 'Failed') ended = true;
        wake?.();
      });
    };
    call((there) => {
      leave?.();
      leave = there.run(order, receive);
    }).catch((why: AgentCallError) => fail(why));
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          while (arrived.length === 0) {
            if (error) throw error;
            if (ended) return { done: true, value: undefined };
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          return { done: false, value: arrived.shift() as Report };
        },
      }),
    };
  }

  return {
    api,
    cut() {
      open = false;
      for (const fail of [...streams]) fail(unreachable());
    },
    restore() {
      open = true;
    },
  };
}
