// Every reason that a job's conditions, failures and Events give: a closed list, with what each means and what to do. docs/errors.md is
// generated from it (cli/errors-page.ts). Neighbours: operator/plan.ts chooses among them, agent/errors.ts and operator/stores/store.ts bring their own.

import type { JobReason } from '../agent/api.ts';
import type { ResultMeta } from '../results/shape.ts';
import type { StoreReason } from './stores/store.ts';

export interface ReasonKind {
  meaning: string;
  /** What to do about it; null where all is well. */
  advice: string | null;
}

const well = (meaning: string): ReasonKind => ({ meaning, advice: null });

const progress = {
  Accepted: well('The job is valid and has pods to trace.'),
  NoPodsYet: {
    meaning: 'No pod matches the target yet; the job waits for one until its deadline.',
    advice: "Compare the labels: `kubectl get pods -l …` with the job's selector, in the job's namespace.",
  },
  Suspended: {
    meaning: 'spec.suspend is true: a job that has not begun waits; one that ran ended with what it had.',
    advice: 'Set spec.suspend to false to start a job that has not begun.',
  },
  Attaching: well('Probes are being attached.'),
  Attached: well('Probes are attached on every node with pods to trace.'),
  Tracing: well('The job runs until its deadline.'),
  Collecting: well("The nodes' results are being fetched, merged and uploaded."),
  Published: well('The result is in the store.'),
  Whole: well('Every node gave its whole result.'),
  NotEnded: well('The job has not ended.'),
} as const satisfies Record<string, ReasonKind>;

const refused = {
  InvalidSpec: {
    meaning: "The job's spec is wrong in a way that the API server did not see.",
    advice: 'The message names the field; create the job again without it.',
  },
  UnknownGadget: {
    meaning:
      'This operator has no gadget of the name that spec.trace gives: the CRD is newer than the operator.',
    advice: 'Upgrade the chart, so that operator and CRD are of one version.',
  },
  ClusterOnly: {
    meaning: 'The gadget sees the whole node, and so would show other namespaces.',
    advice: 'Ask who may create a ClusterTraceJob.',
  },
  NamespaceExcluded: {
    meaning: "The chart's values exclude this namespace from tracing.",
    advice: 'Ask who installed Sonde; the value is excludedNamespaces.',
  },
  NamespaceDenied: {
    meaning: 'The namespace is labelled sonde.dev/tracing: deny. What was recorded of it is thrown away.',
    advice: 'Ask who owns the namespace to remove the label.',
  },
  StoppedByAdministrator: {
    meaning: 'Tracing is switched off for the whole cluster; running jobs ended with what they had.',
    advice: "Ask who installed Sonde; the chart's value is stopEverything.",
  },
  NoPods: {
    meaning: 'No pod matched the target until the deadline.',
    advice: "Compare the labels: `kubectl get pods -l …` with the job's selector, in the job's namespace.",
  },
  PodsNotAllowed: {
    meaning:
      "All matching pods share the node's processes (hostPID) or network: a TraceJob may not trace those.",
    advice: 'Ask who may create a ClusterTraceJob.',
  },
} as const satisfies Record<string, ReasonKind>;

const nodes = {
  NoAgentOnNode: {
    meaning: 'No agent is ready on the node.',
    advice:
      "Look at the DaemonSet sonde-agent: the node's taints need tolerations in the chart's values, or its pod is not ready.",
  },
  NodeGone: {
    meaning: 'The node has left the cluster while it was traced.',
    advice: 'Nothing: the result holds what the other nodes gave.',
  },
  AgentUnreachable: {
    meaning: "The node's agent does not answer.",
    advice:
      "Look at the node and at its agent's log; a NetworkPolicy must let the operator through to port 7443.",
  },
  AgentRefused: {
    meaning: 'The agent refused the job.',
    advice: 'The message says why; operator and agents may be at most one version apart.',
  },
  VersionApart: {
    meaning:
      'The agent and the operator are more than one version apart: one would not understand the other.',
    advice: 'Wait until the Deployment and the DaemonSet have been rolled out, then run the job again.',
  },
  AgentFailed: {
    meaning: 'The agent met an error that nobody foresaw.',
    advice: "Report it with the agent's log.",
  },
  NotFinished: {
    meaning: 'The node did not give its result in time after the deadline.',
    advice: 'Look at the load of the node; a smaller budget.artifacts makes results smaller.',
  },
  EndedEarly: {
    meaning:
      "The node's trace was ended before its time, because the operator's clock said that it was over.",
    advice: "Check that the clock of the operator's node is right.",
  },
  AttachedLate: {
    meaning:
      "The node's probes were attached more than 5 s after its pods were there; what came before is missing.",
    advice: 'The agent came late, or the node was busy with other jobs: run the job again.',
  },
  RunDamaged: {
    meaning: "The node's result did not arrive as it was sent (its digest differs), three times.",
    advice: "Report it with the agent's log.",
  },
  BudgetReached: {
    meaning: 'The node ended early because the budget was spent.',
    advice: 'Give a larger budget, or trace fewer pods or for a shorter time.',
  },
  NodesForgotten: {
    meaning: 'Nodes that took part were not there any more when a new operator took the job over.',
    advice: 'Nothing: the result holds what the other nodes gave.',
  },
} as const satisfies Record<string, ReasonKind>;

const agents = {
  HookMissing: {
    meaning: "The node's kernel has none of the hooks that the gadget can use.",
    advice: '`kubectl sonde doctor` says what each node can trace.',
  },
  NotPermitted: {
    meaning: 'The agent may not load BPF programs on the node.',
    advice:
      "Give the agent the capabilities that the gadget's page names; look for a security profile on the node.",
  },
  ProgramRejected: {
    meaning: "The node's kernel refused the program.",
    advice: 'For a program of your own, the message has the line; else report it with the kernel version.',
  },
  ObjectMissing: {
    meaning: "The agent's image lacks the gadget: it is of another version than the operator.",
    advice: 'Wait until the DaemonSet sonde-agent has been rolled out.',
  },
  TargetMissing: {
    meaning: 'The traced containers had gone before probes were attached.',
    advice: 'Run the job again.',
  },
  ScopeEmpty: { meaning: 'Nothing was in scope on the node.', advice: 'Run the job again.' },
  FilterInvalid: {
    meaning: 'The filter of packets is not one of tcpdump’s language, or does not fit the interface.',
    advice: 'The message has libpcap’s words: change the filter, and apply the job again.',
  },
  LimitExceeded: {
    meaning: 'The job asks for more than an agent allows.',
    advice: 'The message has the limit; target.maxPods makes the selection smaller.',
  },
  SpoolFailed: {
    meaning: "The agent could not write what it recorded: the node's disk is full.",
    advice: 'Make room on the node, or set budget.artifacts.',
  },
  Internal: {
    meaning: 'The agent failed in a way that nobody foresaw.',
    advice: "Report it with the agent's log.",
  },
  Interrupted: {
    meaning: 'The agent was restarted while it traced; the result holds what it had saved.',
    advice: 'Run the job again when the DaemonSet sonde-agent is at rest.',
  },
  NodeBusy: {
    meaning: 'The node is at its ceiling over all jobs; this one waits for another to end.',
    advice: "Wait, or raise the ceiling in the chart's values.",
  },
  Discarded: {
    meaning: 'The result was thrown away because the job was ended.',
    advice: 'Run the job again.',
  },
} as const satisfies Record<JobReason, ReasonKind>;

const publishing = {
  StoreUnreachable: {
    meaning: 'The store does not answer. Uploading is tried again for five minutes.',
    advice: "Check the store's endpoint and the operator's way to it.",
  },
  StoreDenied: {
    meaning: 'The store refuses the credentials, or they may not write.',
    advice: "Give the store's credentials the right to write objects below its prefix.",
  },
  StoreMissing: {
    meaning: 'No TraceStore or ClusterTraceStore has the name in spec.store, or its bucket does not exist.',
    advice: 'Create it, or name another in spec.store.',
  },
  StoreFull: { meaning: 'The store has no room left.', advice: 'Make room, or name another in spec.store.' },
  StoreInvalid: { meaning: "The store's spec is wrong.", advice: 'The message names the field.' },
  ArtifactMissing: {
    meaning: 'The store no longer has the file.',
    advice: "The store's retention may have removed it: run the job again.",
  },
  ScratchFull: {
    meaning: "The operator's scratch volume is full.",
    advice: "Make it larger in the chart's values, or set budget.artifacts.",
  },
  ResultUnwritable: {
    meaning: "The nodes' results could not be merged into files.",
    advice: "The operator's log says why; report it where it names a defect.",
  },
  DetachUnconfirmed: {
    meaning:
      'The job was deleted, and an agent did not confirm within 30 s that its probes are detached; it detaches by its own deadline.',
    advice: "Look at the node's agent if this happens often.",
  },
} as const satisfies Record<
  StoreReason | 'ScratchFull' | 'ResultUnwritable' | 'DetachUnconfirmed',
  ReasonKind
>;

export const reasonKinds = { ...progress, ...refused, ...nodes, ...agents, ...publishing };
export type Reason = keyof typeof reasonKinds;

/** A reason of an agent's report; what an agent of another version says is not in this list. */
export function agentReason(reason: string | undefined): Reason {
  return reason !== undefined && Object.hasOwn(agents, reason) ? (reason as Reason) : 'AgentFailed';
}

/** A reason that came from outside, held against the list. */
export function isReason(reason: string): reason is Reason {
  return Object.hasOwn(reasonKinds, reason);
}

/** Why a run that an agent gave is not the whole: undefined where it is. */
export function partReason(ended: ResultMeta['ended']): Reason | undefined {
  if (ended === 'Budget') return 'BudgetReached';
  return ended === 'Failed' ? 'SpoolFailed' : undefined;
}
