// One trace on one node, from its targets to a run on disk: scope → attach → drain → decode. A state machine (agent/state.ts) decides; this does it.
// Neighbours: agent/plan.ts (what comes in), results/publish.ts (takes the run), cli/run.ts and later agent/serve.ts (who call it).

import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Native } from '../native/api.ts';
import { native as builtIn } from '../native/index.ts';
import type { Loss, ResultMeta } from '../results/shape.ts';
import type { PodTarget } from './api.ts';
import { type AttachedHook, asAgentError, openGadget } from './attach.ts';
import { collectRows, lossesOf, metaOf } from './collect.ts';
import { checkLimits } from './limits.ts';
import { objectPath } from './objects.ts';
import { startMeter } from './overhead.ts';
import { ownersOf } from './owners.ts';
import type { SessionRequest } from './plan.ts';
import { knownPods } from './pods.ts';
import { addProcesses, control, type Parts, prepare, release } from './prepare.ts';
import { targetsLeft } from './scope.ts';
import { type Ended, type Input, initial, type State, step } from './state.ts';

export interface Progress {
  seen: bigint;
  recorded: bigint;
  lost: bigint;
  sampledBy: number;
  programsCpuNs: bigint;
  agentCpuNs: bigint;
  memoryBytes: bigint;
  /** Targets still there. */
  targets: number;
  /** Pods that had a cgroup in scope at some time. */
  pods: number;
}

/** The sorted rows of a finished session (a file in its spool) with what is true of them. */
export interface SessionResult {
  meta: ResultMeta;
  rows: string;
}

export interface Session {
  attached: AttachedHook[];
  progress(): Progress;
  /** The head as it would be if nothing were recorded: for a run that is interrupted. */
  draft(): ResultMeta;
  /** Of a session that was started with pods: all of them as they are now. After its end names still count, until the run is written. */
  retarget(pods: readonly PodTarget[]): Promise<void>;
  /** Ends the job early and keeps what it has; calls after the first change nothing. */
  stop(ended: Ended): void;
  /** Resolves when the programs are detached; reading and writing what they left takes its time. */
  detached: Promise<void>;
  /** Resolves when everything is detached, read and written. Rejects with AgentError when there is no result; nothing stays attached either way. */
  finished: Promise<SessionResult>;
}

/** How often the state machine looks at the clock, the cost and the targets. */
const tickMs = 200;

/** Starts a session: when this resolves, every program is attached and everything in scope is seen.
 *  Throws AgentError; nothing is left attached then. */
export async function startSession(request: SessionRequest, native: Native = builtIn): Promise<Session> {
  checkLimits(request);
  const { trace } = request.plan;
  const object = openGadget(native, objectPath(trace), trace);
  const pods = request.pods === undefined ? undefined : knownPods(request.node);
  const parts: Parts = {
    request,
    native,
    object,
    owners: pods ?? ownersOf(request),
    ...(pods === undefined ? {} : { pods }),
    links: [],
    warnings: [],
  };
  try {
    const attached = await prepare(parts);
    return run(parts, attached);
  } catch (error) {
    await release(parts);
    throw asAgentError(error, trace);
  }
}

function run(parts: Parts, attached: AttachedHook[]): Session {
  const { request, native, object } = parts;
  const meter = startMeter(native, object, request.plan.hitCost);
  const { promise: finished, resolve, reject } = Promise.withResolvers<SessionResult>();
  const { promise: detached, resolve: nowDetached } = Promise.withResolvers<void>();
  // One of several packets is no conversation.
  const limits =
    request.plan.source.kind === 'packets' ? { ...request.budget, samples: false } : request.budget;
  let state: State = initial;
  let measured = meter.measure();
  let losses: Loss[] = [];
  let targets = request.targets.length;
  let ticking = Promise.resolve();
  let retargeting: Promise<unknown> = Promise.resolve();

  const give = (input: Input): void => {
    const next = step(state, input, limits);
    state = next.state;
    for (const action of next.actions) {
      if (action.kind === 'SetSampling') control(object, { sampleEvery: action.every });
      if (action.kind === 'Warn') warn(parts, action.reason, action.message);
      if (action.kind !== 'Finish') continue;
      // Detaching takes its time: what happens meanwhile is counted, and not recorded beyond the budget.
      if (endOf(state).ended === 'Budget') control(object, { stopped: true });
      finish().then(resolve, reject);
    }
  };

  const look = async (): Promise<void> => {
    if (state.phase !== 'Running') return;
    measured = meter.measure();
    losses = lossesOf(parts);
    if (parts.podScope !== undefined) {
      parts.podScope.refresh();
      control(object, { containers: Math.max(1, parts.podScope.living()) });
    } else if (parts.scope !== undefined && parts.entered !== undefined)
      targets = await targetsLeft(request.targets, parts.entered, parts.scope.processes);
    await parts.packets?.follow();
    if (parts.drain?.failure() !== undefined) return give({ kind: 'Stop', ended: 'Failed' });
    const spent = {
      cpu: measured.cpu,
      memoryBytes: Number(measured.memoryBytes),
      events: Number(parts.drain?.recorded() ?? 0n),
      artifactBytes: parts.spool?.bytes ?? 0,
    };
    const left = request.pods === undefined ? { targetsLeft: targets } : {};
    give({ kind: 'Tick', now: performance.now(), spent, ...left });
  };

  const timer = setInterval(() => {
    ticking = ticking.then(look).catch((error: unknown) => {
      warn(parts, 'Internal', String(error));
      give({ kind: 'Stop', ended: 'Failed' });
    });
  }, tickMs);
  // The clock of the deadline is its own: ticks may come late on a busy machine, the end of a job may not.
  const deadline =
    request.durationMs === undefined
      ? undefined
      : setTimeout(() => give({ kind: 'Stop', ended: 'Duration' }), request.durationMs);

  const finish = async (): Promise<SessionResult> => {
    clearInterval(timer);
    clearTimeout(deadline);
    // Detaching takes the kernel's grace periods; what happens meanwhile is still recorded, what comes after this moment is not the job's time.
    const { realtime: completionTime, monotonic: endedAt } = native.clocks();
    try {
      for (const link of parts.links.splice(0)) link.close();
      parts.packets?.end();
      nowDetached();
      await ticking;
      // It walks the scope, whose maps are still needed: they are closed behind it.
      await retargeting;
      await lateNames(parts);
      const { rows, count } = await collectRows(parts, endedAt);
      measured = meter.measure();
      losses = lossesOf(parts);
      const { sampledBy } = endOf(state);
      let { ended } = endOf(state);
      if (measured.unfollowed > 0n)
        warn(
          parts,
          'ScopeFull',
          `${measured.unfollowed} new cgroups or processes found no room in the scope and were not seen: trace fewer targets at a time`,
        );
      const failure = parts.drain?.failure();
      if (failure !== undefined) {
        // Also when it failed only as the last rows were written.
        ended = 'Failed';
        warn(parts, 'SpoolFailed', `${failure.message}; the result holds what was written until then`);
      }
      const end = { ended, sampledBy, completionTime, attached, measured, losses, recorded: count };
      const meta = metaOf(parts, end);
      give({ kind: 'Drained' });
      return { meta, rows };
    } catch (error) {
      throw asAgentError(error, request.plan.trace);
    } finally {
      meter.close();
      await release(parts);
    }
  };

  /** While it runs: a ring's rows when written; of what a map aggregates, the programs' runs in scope. */
  const recorded = (): bigint => parts.drain?.recorded() ?? measured.scoped - measured.skipped;

  give({ kind: 'Attached', now: performance.now(), durationMs: request.durationMs });

  return {
    attached,
    progress() {
      const lost = losses.reduce((sum, loss) => sum + loss.count, 0n);
      return {
        seen: recorded() + lost,
        recorded: recorded(),
        lost,
        sampledBy: endOf(state).sampledBy,
        programsCpuNs: measured.programsCpuNs,
        agentCpuNs: measured.agentCpuNs,
        memoryBytes: measured.memoryBytes,
        targets,
        pods: parts.pods?.traced() ?? 0,
      };
    },
    draft() {
      const end = { ended: 'Failed' as const, sampledBy: 1, completionTime: parts.startTime ?? 0n };
      return metaOf(parts, { ...end, attached, measured, losses: [], recorded: 0n });
    },
    async retarget(pods) {
      if (state.phase !== 'Running') return void parts.pods?.name(pods);
      const next = (async () => {
        const processes = (await parts.podScope?.retarget(pods)) ?? [];
        if (parts.mappings !== undefined) addProcesses(parts.mappings, processes);
      })();
      retargeting = Promise.allSettled([retargeting, next]);
      await next;
    },
    stop: (ended) => give({ kind: 'Stop', ended }),
    detached,
    finished,
  };
}

/** A container that began in the job's last moments may get its name after them. */
const lateNamesMs = 2000;

async function lateNames({ pods, podScope }: Parts): Promise<void> {
  if (pods === undefined) return;
  podScope?.refresh();
  for (let waited = 0; pods.unnamed() > 0 && waited < lateNamesMs; waited += 100)
    await setTimeoutPromise(100);
}

function endOf(state: State): { ended: Ended; sampledBy: number } {
  const sampledBy = state.phase === 'Preparing' ? 1 : state.sampledBy;
  return { ended: 'ended' in state ? state.ended : 'Stopped', sampledBy };
}

function warn(parts: Parts, reason: string, message: string): void {
  parts.warnings.push({ node: parts.request.node, reason, message });
}
