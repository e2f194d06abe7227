// What an operator remembers of a job while it leads; all of it can be had again from the job's status and from agents. Neighbours:
// operator/reconcile.ts (keeps one for each job), operator/observe.ts (shows it to the plan), operator/execute.ts (writes into it).

import { setMaxListeners } from 'node:events';
import type { PodTarget } from '../agent/api.ts';
import type { TraceJobStatus } from '../crds/status.ts';
import type { Assigned } from './assign.ts';
import type { NodePods } from './observe.ts';
import type { NodeRecord, Publication, Refusal } from './observed.ts';

export interface Ledger {
  knownSince: number;
  nodes: Map<string, NodeRecord>;
  publication: Publication;
  /** As the API server has it, as far as this operator knows: its own writes count before the informer brings them. */
  status: TraceJobStatus;
  /** The status of a job that has ended, until the API server has confirmed it. */
  final: TraceJobStatus | undefined;
  finalizer?: boolean;
  read?: { generation: number; assigned: Assigned | { refusal: Refusal } };
  /** Pods that the job traces or has traced, the oldest choice first. */
  chosen: Map<string, { node: string; scheduledAt: number; target: PodTarget }>;
  choice:
    | {
        revision: number;
        denied: boolean;
        matched: number;
        notAllowed: number;
        byNode: Map<string, NodePods>;
      }
    | undefined;
  deletedAt?: number;
  endingAt: number | undefined;
  inherited?: number;
  /** As the last plan says. */
  deadline: number | undefined;
  /** Events that were sent, by type and reason: a plan asks for them until its status is written. */
  told: Set<string>;
  /** Actions under way, or in the pause after they failed. */
  busy: Set<string>;
  /** The last pause of those that failed, ms. */
  pauses: Map<string, number>;
  follows: Map<string, AbortController>;
  /** The status is being written. */
  writing: boolean;
  writtenAt: number;
  /** Ends everything that is under way for the job. */
  ending: AbortController;
}

export function openLedger(status: TraceJobStatus, inherits: boolean, now: number): Ledger {
  const inherited = inherits && status.startTime !== undefined ? (status.nodes?.matched ?? 0) : undefined;
  const ending = new AbortController();
  // As many wait for it as there are nodes.
  setMaxListeners(0, ending.signal);
  return {
    knownSince: now,
    nodes: new Map(),
    publication: { state: 'None' },
    status,
    final: undefined,
    chosen: new Map(),
    choice: undefined,
    endingAt: undefined,
    ...(inherited === undefined ? {} : { inherited }),
    deadline: undefined,
    told: new Set(),
    busy: new Set(),
    pauses: new Map(),
    follows: new Map(),
    writing: false,
    writtenAt: Number.NEGATIVE_INFINITY,
    ending,
  };
}

/** The job's record on a node, made where there is none. */
export function recordOf(ledger: Ledger, node: string): NodeRecord {
  const known = ledger.nodes.get(node);
  if (known) return known;
  const made: NodeRecord = { following: false };
  ledger.nodes.set(node, made);
  return made;
}
