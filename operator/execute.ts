// Carries out what a plan asks for. Each action may be asked again while it is under way: it is begun once, and once more only when it has failed and
// a pause has gone by. Neighbours: operator/plan.ts, operator/reconcile.ts (calls this), operator/follow.ts (the stream of one node).

import type { AgentApi } from '../agent/api.ts';
import { sleep } from './clock.ts';
import type { JobObject } from './cluster.ts';
import type { NodeFiles } from './deliver.ts';
import { asCallError, callOf, follow } from './follow.ts';
import { type Hands, PublishError, RunError } from './hands.ts';
import { type Ledger, recordOf } from './ledger.ts';
import type { Action } from './observed.ts';

export interface Work {
  hands: Hands;
  job: JobObject;
  ledger: Ledger;
  /** Look at the job again. */
  wake(): void;
}

const pauseMs = { first: 500, longest: 30_000 };
/** Damaged runs are fetched so often. */
const mostFetches = 3;

export function execute(work: Work, action: Action): void {
  if (action.kind === 'Event') tellOnce(work, action);
  else if (action.kind === 'Follow') startFollowing(work, action.node);
  else if (action.kind === 'Publish') startPublishing(work, action);
  else start(work, action);
}

type Step = Exclude<Action, { kind: 'Event' | 'Follow' | 'Publish' }>;

function start(work: Work, action: Step): void {
  const { ledger } = work;
  const key = 'node' in action ? `${action.kind} ${action.node}` : action.kind;
  if (ledger.busy.has(key)) return;
  ledger.busy.add(key);
  void once(work, action).then(
    () => {
      ledger.pauses.delete(key);
      done(work, key);
    },
    async (error: unknown) => {
      failed(work, action, error);
      const before = ledger.pauses.get(key) ?? 0;
      // An agent that comes back is asked soon, whatever was before.
      const longest = 'node' in action ? pauseMs.first * 4 : pauseMs.longest;
      const pause = Math.min(Math.max(pauseMs.first, before * 2), longest);
      ledger.pauses.set(key, pause);
      await sleep(work.hands.clock, pause, ledger.ending.signal);
      done(work, key);
    },
  );
}

function done({ ledger, wake }: Work, key: string): void {
  ledger.busy.delete(key);
  wake();
}

function failed({ hands, job, ledger }: Work, action: Action, error: unknown): void {
  if (ledger.ending.signal.aborted) return;
  const fields = {
    job: nameOf(job),
    action: action.kind,
    ...('node' in action ? { node: action.node } : {}),
  };
  if (!('node' in action)) {
    hands.log.warn({ ...fields, error: String(error) }, 'the API server did not take it');
    return;
  }
  const { code, message } = asCallError(error);
  hands.counts.agentError(code);
  const record = ledger.nodes.get(action.node);
  if (record) record.trouble = { code, message };
  hands.log.warn({ ...fields, reason: code, error: message }, 'the agent did not do it');
}

async function once({ hands, job, ledger, wake }: Work, action: Step): Promise<void> {
  const { uid } = job.metadata;
  switch (action.kind) {
    case 'AddFinalizer':
    case 'RemoveFinalizer': {
      const present = action.kind === 'AddFinalizer';
      await hands.api.setFinalizer(job, present);
      ledger.finalizer = present;
      return;
    }
    case 'Delete':
      return hands.api.remove(job);
    case 'Retarget': {
      const { pods, digest } = ledger.choice?.byNode.get(action.node) ?? { pods: [], digest: '' };
      await answered(hands, ledger, action.node, (agent) => agent.retarget(uid, pods));
      recordOf(ledger, action.node).targeted = digest;
      return;
    }
    case 'Stop':
      await answered(hands, ledger, action.node, (agent) => agent.stop(uid, false));
      recordOf(ledger, action.node).stopped = { overdue: action.overdue };
      return;
    case 'Fetch':
      return fetchRun(hands, job, ledger, action.node, wake);
    case 'Release': {
      const record = ledger.nodes.get(action.node);
      if (record) record.releasing = true;
      ledger.follows.get(action.node)?.abort();
      // A run that is here has ended there.
      if (record?.run === undefined)
        await answered(hands, ledger, action.node, (agent) => agent.stop(uid, true));
      await answered(hands, ledger, action.node, (agent) => agent.acknowledge(uid));
      ledger.nodes.delete(action.node);
      ledger.follows.delete(action.node);
    }
  }
}

/** Calls the node's agent; an answer is a sign of life. */
async function answered(
  hands: Hands,
  ledger: Ledger,
  node: string,
  ask: (agent: AgentApi) => Promise<void>,
): Promise<void> {
  const agent = hands.agentOn(node);
  if (agent === undefined) throw new Error('no agent is ready on the node');
  await callOf(hands, ask(agent));
  const record = ledger.nodes.get(node);
  if (record) record.contactAt = hands.clock.now();
}

async function fetchRun(
  hands: Hands,
  job: JobObject,
  ledger: Ledger,
  node: string,
  wake: () => void,
): Promise<void> {
  const record = recordOf(ledger, node);
  const agent = hands.agentOn(node);
  if (agent === undefined || record.run !== undefined || record.failure !== undefined) return;
  try {
    const alive = () => {
      record.contactAt = hands.clock.now();
    };
    record.fetching = true;
    const run = await hands.results.collect(agent, job.metadata.uid, node, ledger.ending.signal, alive);
    alive();
    delete record.trouble;
    record.run = run;
    hands.log.info({ job: nameOf(job), node, rows: run.path }, 'a run was fetched');
  } catch (error) {
    if (ledger.ending.signal.aborted) return;
    if (error instanceof RunError) {
      record.fetches = (record.fetches ?? 0) + 1;
      if (error.again && record.fetches < mostFetches) throw error;
      record.failure = error.refusal;
      return wake();
    }
    const { code, message } = asCallError(error);
    if (code === 'UnknownJob') {
      record.failure = { reason: 'Interrupted', message: 'its agent has nothing of the job any more' };
      return wake();
    }
    if (code === 'Refused') {
      record.failure = { reason: 'AgentRefused', message };
      return wake();
    }
    throw error;
  }
}

function startFollowing(work: Work, node: string): void {
  const { hands, job, ledger, wake } = work;
  const assigned = ledger.read?.assigned;
  const record = recordOf(ledger, node);
  if (record.following || assigned === undefined || 'refusal' in assigned) return;
  if (record.report?.reason === 'NodeBusy') delete record.report;
  const stop = new AbortController();
  ledger.follows.set(node, stop);
  const { metadata } = job;
  const { assignment } = assigned;
  void follow(hands, {
    uid: metadata.uid,
    node,
    record,
    inherited: ledger.inherited !== undefined,
    left: () => (ledger.deadline === undefined ? assignment.durationMs : ledger.deadline - hands.clock.now()),
    order: (durationMs) => ({
      job: { name: metadata.name, namespace: metadata.namespace ?? null, uid: metadata.uid },
      plan: assigned.planFor(hands.cluster.nodes.get(node)?.arch ?? 'x86'),
      pods: ledger.choice?.byNode.get(node)?.pods ?? [],
      durationMs: Math.round(durationMs),
      budget: assignment.budget,
      redact: assignment.redact,
      partsAbove: hands.partsAbove,
      generation: metadata.generation,
    }),
    signal: AbortSignal.any([stop.signal, ledger.ending.signal]),
    changed: wake,
  });
}

function startPublishing(
  { hands, job, ledger, wake }: Work,
  { nodes, failed: lost }: Action & { kind: 'Publish' },
): void {
  const assigned = ledger.read?.assigned;
  if (ledger.publication.state === 'Busy' || assigned === undefined || 'refusal' in assigned) return;
  const { publication } = ledger;
  const firstAt = publication.state === 'Failed' ? publication.firstAt : hands.clock.now();
  ledger.publication = { state: 'Busy', nodes };
  for (const { node, refusal } of lost) recordOf(ledger, node).failure ??= refusal;
  const runs = nodes.flatMap((node) => ledger.nodes.get(node)?.run ?? []);
  const began = hands.clock.now();
  const { signal } = ledger.ending;
  const { store } = assigned.assignment;
  const publishing = async () => {
    const { artifacts, lost: missing } = await hands.results.deliver(
      job,
      store,
      filesOf(hands, ledger, nodes),
      signal,
    );
    for (const { node, refusal } of missing) recordOf(ledger, node).part ??= refusal;
    const result = await hands.results.publish(job, store, runs, signal);
    return { ...result, artifacts: [...result.artifacts, ...artifacts] };
  };
  publishing().then(
    (result) => {
      hands.counts.published((hands.clock.now() - began) / 1000);
      ledger.publication = { state: 'Done', nodes, result };
      wake();
    },
    (error: unknown) => {
      if (ledger.ending.signal.aborted) return;
      const known = error instanceof PublishError ? error : undefined;
      const refusal = known?.refusal ?? { reason: 'ResultUnwritable' as const, message: String(error) };
      ledger.publication = {
        state: 'Failed',
        nodes,
        refusal,
        again: known?.again ?? false,
        at: hands.clock.now(),
        firstAt,
      };
      hands.log.error(
        { job: nameOf(job), reason: refusal.reason, error: refusal.message },
        'the result could not be published',
      );
      wake();
    },
  );
}

function filesOf(hands: Hands, ledger: Ledger, nodes: readonly string[]): NodeFiles[] {
  return nodes.flatMap((node) => {
    const files = ledger.nodes.get(node)?.run?.files;
    return files === undefined ? [] : [{ node, files, agent: () => hands.agentOn(node) }];
  });
}

/** A plan asks for an Event until its status is written; it is sent once. */
function tellOnce({ hands, job, ledger }: Work, { type, reason, message }: Action & { kind: 'Event' }): void {
  const key = `${type} ${reason}`;
  if (ledger.told.has(key)) return;
  ledger.told.add(key);
  hands.api.event(job, { type, reason, message }).catch((error: unknown) => {
    hands.log.warn({ job: nameOf(job), reason, error: String(error) }, 'an Event could not be written');
  });
}

export function nameOf({ metadata: { name, namespace } }: JobObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
