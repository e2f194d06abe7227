// What a job's reports say at each point of its life. Pure. Neighbours: agent/job.ts, agent/interrupted.ts.

import type { ResultMeta } from '../results/shape.ts';
import type { Report } from './api.ts';
import type { Progress } from './session.ts';

/** Of a job that has not begun. */
export const emptyReport: Report = {
  phase: 'Starting',
  attachedAt: 0n,
  podsTraced: 0,
  events: { seen: 0n, recorded: 0n, lost: 0n, sampledBy: 1 },
  overhead: { programsCpuNs: 0n, agentCpuNs: 0n, memoryBytes: 0n },
};

export function progressReport(
  phase: 'Running' | 'Collecting',
  attachedAt: bigint,
  { seen, recorded, lost, sampledBy, ...progress }: Progress,
): Report {
  const { programsCpuNs, agentCpuNs, memoryBytes } = progress;
  return {
    phase,
    attachedAt,
    podsTraced: progress.pods,
    events: { seen, recorded, lost, sampledBy },
    overhead: { programsCpuNs, agentCpuNs, memoryBytes },
  };
}

export function finishedReport(meta: ResultMeta, podsTraced: number): Report {
  const { seen, recorded, lost, sampledBy } = meta.events;
  const { programsCpuNs, agentCpuNs, memoryBytes } = meta.overhead;
  const failure = meta.warnings.find(({ reason }) => reason === 'SpoolFailed' || reason === 'Internal');
  return {
    phase: 'Finished',
    attachedAt: meta.startTime,
    podsTraced,
    events: { seen, recorded, lost, sampledBy },
    overhead: { programsCpuNs, agentCpuNs, memoryBytes },
    ...(meta.ended === 'Failed'
      ? {
          reason: failure?.reason === 'SpoolFailed' ? ('SpoolFailed' as const) : ('Internal' as const),
          message: failure?.message ?? 'the session failed; the run is what there was until then',
        }
      : {}),
  };
}
