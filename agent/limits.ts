// What an agent accepts: a plan comes from outside, so its numbers are checked here again, whatever the operator or CLI checked before.

import { AgentError } from './errors.ts';
import type { SessionRequest } from './plan.ts';

export const limits = {
  durationMs: { least: 100, most: 24 * 3600 * 1000 },
  targets: 4096,
  mapEntries: { least: 1, most: 1 << 20 },
  ringBytes: { least: 4096, most: 64 << 20 },
  nameLength: 253,
  /** Of one pod: every container and every start of it. */
  containers: 10_000,
  messageLength: 4096,
} as const;

const gadgetName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Throws AgentError LimitExceeded or ScopeEmpty with the value and the limit. */
export function checkLimits(request: SessionRequest): void {
  const refuse = (message: string): never => {
    throw new AgentError('LimitExceeded', message);
  };
  if (!gadgetName.test(request.plan.trace)) refuse(`"${request.plan.trace}" is not a gadget's name`);
  if (request.job.name.length > limits.nameLength)
    refuse(`the job's name is longer than ${limits.nameLength}`);
  const { durationMs } = request;
  if (durationMs !== undefined && !inside(durationMs, limits.durationMs))
    refuse(`duration ${durationMs} ms is outside 100 ms to 24 h: choose one inside`);
  if (request.targets.length === 0 && request.pods === undefined)
    throw new AgentError('ScopeEmpty', 'nothing is in scope: name a cgroup, a pid, a container or a command');
  if (request.targets.length > limits.targets)
    refuse(`${request.targets.length} targets are more than ${limits.targets}: narrow the selection`);
  if ((request.pods?.now.length ?? 0) > limits.targets)
    refuse(`${request.pods?.now.length} pods are more than ${limits.targets}: narrow the selection`);
  for (const [map, entries] of Object.entries(request.plan.maxEntries)) {
    // A ring's size is in bytes.
    const range = map === 'events' ? limits.ringBytes : limits.mapEntries;
    if (!Number.isInteger(entries) || !inside(entries, range))
      refuse(`map ${map}: a size of ${entries} is outside ${range.least} to ${range.most}`);
  }
  for (const [name, value] of Object.entries(request.budget)) {
    if (!Number.isFinite(value) || value <= 0) refuse(`budget.${name}: ${value} is not a positive number`);
  }
}

function inside(value: number, range: { least: number; most: number }): boolean {
  return Number.isFinite(value) && value >= range.least && value <= range.most;
}
