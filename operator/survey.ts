// Asks every agent that comes which jobs it has. What another operator ordered is adopted; what belongs to no job is ended. Neighbours:
// operator/reconcile.ts (owns it), operator/cluster.ts (which agents there are).

import { sleep } from './clock.ts';
import { callOf } from './follow.ts';
import type { Hands } from './hands.ts';
import { type Ledger, recordOf } from './ledger.ts';

export interface Survey {
  /** Every agent that was there at the beginning has answered, or had its time to. */
  done(): boolean;
  /** Asks those that are new. */
  look(): void;
  close(): void;
}

const mostAtOnce = 32;
/** An agent that does not answer does not hold up the others' jobs for longer. */
const patienceMs = 15_000;
const pauseMs = { first: 1_000, longest: 30_000 };

export function startSurvey(
  hands: Hands,
  ledgerOf: (uid: string) => Ledger | undefined,
  wake: (uid: string) => void,
): Survey {
  const { cluster, clock } = hands;
  const began = clock.now();
  const ending = new AbortController();
  /** Node → the address that has answered or is being asked. */
  const asked = new Map<string, string>();
  const first = new Set(cluster.agents.keys());
  const waiting: string[] = [];
  const pauses = new Map<string, number>();
  let running = 0;

  function look(): void {
    for (const node of asked.keys()) if (!cluster.agents.has(node)) asked.delete(node);
    for (const [node, address] of cluster.agents) {
      if (asked.get(node) === address) continue;
      asked.set(node, address);
      waiting.push(node);
    }
    next();
  }

  function next(): void {
    while (running < mostAtOnce && waiting.length > 0 && !ending.signal.aborted) {
      running++;
      void ask(waiting.shift() as string).finally(() => {
        running--;
        next();
      });
    }
  }

  async function ask(node: string): Promise<void> {
    const address = asked.get(node);
    const agent = hands.agentOn(node);
    if (agent === undefined) return;
    try {
      const description = await callOf(hands, agent.describe());
      if (ending.signal.aborted) return;
      hands.described(description);
      pauses.delete(node);
      const { jobs } = description;
      for (const { uid } of jobs) await found(node, uid);
      first.delete(node);
      if (first.size === 0) for (const uid of cluster.jobs.keys()) wake(uid);
    } catch (error) {
      if (ending.signal.aborted) return;
      const pause = pauses.get(node) ?? pauseMs.first;
      pauses.set(node, Math.min(pause * 2, pauseMs.longest));
      hands.log.warn({ node, error: String(error) }, 'an agent did not say which jobs it has');
      await sleep(clock, pause, ending.signal);
      if (asked.get(node) === address) asked.delete(node);
      if (!ending.signal.aborted) look();
    }
  }

  async function found(node: string, uid: string): Promise<void> {
    const ledger = ledgerOf(uid);
    if (ledger) {
      const known = ledger.nodes.has(node);
      const record = recordOf(ledger, node);
      if (!known) record.adopted = true;
      record.contactAt = clock.now();
      return wake(uid);
    }
    const agent = hands.agentOn(node);
    if (agent === undefined) return;
    hands.log.info({ node, uid }, 'an agent has a job that is not there any more: it is ended');
    await callOf(hands, agent.stop(uid, true));
    await callOf(hands, agent.acknowledge(uid));
  }

  look();
  return {
    done: () =>
      first.size === 0 ||
      clock.now() - began > patienceMs ||
      [...first].every((node) => !cluster.agents.has(node)),
    look,
    close: () => ending.abort(),
  };
}
