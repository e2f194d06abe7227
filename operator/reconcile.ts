// The loop: a job that something happened to is looked at, its plan made and carried out, its status written when that is due. Also asks agents, when
// it begins and when one comes back, which jobs they have: those of other operators are adopted, those of no job are ended. Neighbours:
// operator/observe.ts → plan.ts → execute.ts; operator/hands.ts.

import { isDeepStrictEqual } from 'node:util';
import type { TraceJobStatus } from '../crds/status.ts';
import type { JobObject } from './cluster.ts';
import { holds } from './conditions.ts';
import { execute, nameOf } from './execute.ts';
import type { Hands } from './hands.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type ObserveOptions, observe } from './observe.ts';
import { plan } from './plan.ts';
import { startSurvey } from './survey.ts';
import { statusBucket } from './throttle.ts';

export interface Reconciler {
  /** Something happened to a job, or to what it depends on. */
  wake(uid: string): void;
  wakeAll(): void;
  ledgers: ReadonlyMap<string, Ledger>;
  /** Leaves jobs as they are: agents go on, another operator takes up. */
  close(): void;
}

/** What happens together is looked at once; a look that takes long is not taken more often than a fifth of the time. */
const gatherMs = 10;
const statusEveryMs = 5_000;
const retryMs = 1_000;

export function startReconciler(hands: Hands, options: Omit<ObserveOptions, 'swept'>): Reconciler {
  const { clock, cluster } = hands;
  const ledgers = new Map<string, Ledger>();
  const due = new Map<string, { at: number; callOff: () => void }>();
  const bucket = statusBucket(clock);
  let cost = 0;
  let closed = false;

  function wake(uid: string, inMs = Math.max(gatherMs, cost * 4)): void {
    const at = clock.now() + inMs;
    const planned = due.get(uid);
    if (closed || (planned && planned.at <= at)) return;
    planned?.callOff();
    const callOff = clock.after(inMs, () => {
      due.delete(uid);
      look(uid);
    });
    due.set(uid, { at, callOff });
  }

  const survey = startSurvey(hands, ledgerOf, (uid) => wake(uid));

  function ledgerOf(uid: string): Ledger | undefined {
    const known = ledgers.get(uid);
    const job = cluster.jobs.get(uid);
    if (known || !job) return known;
    const made = openLedger(job.status, job.status.startTime !== undefined, clock.now());
    ledgers.set(uid, made);
    return made;
  }

  function look(uid: string): void {
    const job = cluster.jobs.get(uid);
    const ledger = ledgerOf(uid);
    if (ledger === undefined) return;
    if (job === undefined) {
      forget(uid, ledger);
      return;
    }
    if (ledger.final && job.metadata.deletionTimestamp === undefined) {
      write(job, ledger, ledger.final);
      return;
    }
    const began = clock.now();
    try {
      const observed = observe(cluster, job, ledger, { ...options, swept: survey.done() }, clock.now());
      const { actions, status, requeueAfter, deadline } = plan(observed, clock.now());
      ledger.deadline = deadline;
      if (status) write(job, ledger, status);
      for (const action of actions) execute({ hands, job, ledger, wake: () => wake(uid) }, action);
      if (requeueAfter !== undefined) wake(uid, Math.max(gatherMs, requeueAfter));
    } catch (error) {
      hands.log.error(
        { job: nameOf(job), error: String(error) },
        'a job could not be looked at: a defect of Sonde',
      );
      wake(uid, retryMs);
    }
    cost = clock.now() - began;
    hands.counts.reconciled(cost / 1000);
  }

  function forget(uid: string, ledger: Ledger): void {
    ledger.ending.abort();
    ledgers.delete(uid);
    hands.results.discard(uid).catch((error: unknown) => {
      hands.log.warn(
        { uid, error: String(error) },
        'what the scratch disk has of a job could not be removed',
      );
    });
  }

  function write(job: JobObject, ledger: Ledger, status: TraceJobStatus): void {
    const { uid } = job.metadata;
    const change = changeOf(ledger.status, status);
    if (change === 'None' || ledger.writing) return;
    const now = clock.now();
    const early = change === 'Counts' ? ledger.writtenAt + statusEveryMs - now : 0;
    const wait = early > 0 ? early : bucket.take(change === 'Phase');
    if (wait > 0) {
      wake(uid, wait);
      return;
    }
    ledger.writing = true;
    // An answer that is lost may hide that it was taken: an end that was decided stays decided.
    if (holds(status, 'Complete') || holds(status, 'Failed')) ledger.final = status;
    hands.api
      .applyStatus(job, status)
      .then(
        () => {
          hands.counts.statusWritten(true);
          ledger.status = status;
          ledger.final = undefined;
          ledger.writtenAt = clock.now();
          if (change === 'Phase') hands.log.info({ job: nameOf(job), ...shortOf(status) }, 'status');
          wake(uid);
        },
        (error: unknown) => {
          hands.counts.statusWritten(false);
          hands.log.warn({ job: nameOf(job), error: String(error) }, 'the status could not be written');
          wake(uid, retryMs);
        },
      )
      .finally(() => {
        ledger.writing = false;
      });
  }

  return {
    wake: (uid) => wake(uid),
    wakeAll() {
      survey.look();
      for (const uid of cluster.jobs.keys()) wake(uid);
    },
    ledgers,
    close() {
      closed = true;
      survey.close();
      for (const { callOff } of due.values()) callOff();
      for (const ledger of ledgers.values()) ledger.ending.abort();
    },
  };
}

/** What is new in a status: what people and scripts wait for, or counts alone. */
export function changeOf(before: TraceJobStatus, after: TraceJobStatus): 'None' | 'Counts' | 'Phase' {
  if (isDeepStrictEqual(before, after)) return 'None';
  return JSON.stringify(shortOf(before)) === JSON.stringify(shortOf(after)) ? 'Counts' : 'Phase';
}

function shortOf({ phase, conditions, observedGeneration }: TraceJobStatus) {
  const told = conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  return { phase, observedGeneration, conditions: told?.join(', ') };
}
