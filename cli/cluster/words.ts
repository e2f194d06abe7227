// A job of the cluster in words: one line while it runs, what is said when something changes, how it ended. Pure. Neighbours: cli/cluster/live.ts
// (shows them), cli/cluster/job.ts (what they tell of; safe in a terminal already).

import { parseDuration } from '../../crds/duration.ts';
import { formatCount } from '../../results/units.ts';
import { CliError } from '../errors.ts';
import { type Condition, conditionOf, type JobView, restOf, shortName } from './job.ts';

/** `Running  12 s of 30 s  2 of 2 nodes, 5 of 6 pods  12,345 recorded, 0 lost  cost 12m CPU, 24Mi a node`. */
export function statusLine(job: JobView, now: number): string {
  const { phase, nodes, pods, events, overhead } = job;
  const parts: string[] = [phase === '' ? 'Pending' : phase];
  const time = timeOf(job, now);
  if (time !== '') parts.push(time);
  if (nodes.matched > 0 || pods.matched > 0) {
    const attached = nodes.running + nodes.succeeded;
    parts.push(
      `${formatCount(attached)} of ${plural(nodes.matched, 'node')}, ${formatCount(pods.traced)} of ${plural(pods.matched, 'pod')}`,
    );
  }
  if (events !== undefined) {
    const sampled = events.sampledBy > 1 ? ` (1 of ${formatCount(events.sampledBy)})` : '';
    parts.push(`${formatCount(events.recorded)} recorded${sampled}, ${formatCount(events.lost)} lost`);
  }
  if (overhead !== undefined) parts.push(`cost ${overhead.cpu} CPU, ${overhead.memory} a node`);
  if (nodes.failed > 0) parts.push(`${plural(nodes.failed, 'node')} failed`);
  return parts.join('  ');
}

/** The clock of the cluster and of this machine may differ: never below nothing, never above the whole. */
function timeOf({ startedAt, endedAt, duration }: JobView, now: number): string {
  if (startedAt === undefined) return '';
  const whole = parseDuration(duration ?? '');
  const ms = 'wrong' in whole ? undefined : Number(whole.nanoseconds / 1_000_000n);
  const elapsed = Math.max(0, (endedAt ?? now) - startedAt);
  if (endedAt !== undefined || ms === undefined) return seconds(elapsed);
  return `${seconds(Math.min(elapsed, ms))} of ${seconds(ms)}`;
}

/** What has become true since `before`, a line each. */
export function news(before: JobView | undefined, job: JobView): string[] {
  const lines: string[] = [];
  const fresh = (type: string) => {
    const now = conditionOf(job, type);
    const known = before === undefined ? undefined : conditionOf(before, type);
    return now !== undefined && (known === undefined || known.reason !== now.reason) ? now : undefined;
  };
  const accepted = fresh('Accepted');
  if (accepted?.reason === 'NoPodsYet') lines.push(`waiting: ${accepted.message}`);
  const attached = fresh('Attached');
  if (attached !== undefined && restOf(job) === undefined) lines.push(attached.message);
  if (job.phase === 'Collecting' && before?.phase !== 'Collecting')
    lines.push('collecting: results are fetched from the nodes, merged and stored');
  const known = new Set(before?.failures.map(({ node, reason }) => `${node} ${reason}`));
  const failures = job.failures.filter(({ node, reason }) => !known.has(`${node} ${reason}`));
  for (const { node, reason, message } of failures) {
    lines.push(`${node === '' ? 'nodes' : node}: ${reason}: ${message}`);
  }
  const blocked = blockedBy(job);
  const isNews = blocked !== undefined && blocked.reason !== (before && blockedBy(before))?.reason;
  // It is about the first of the nodes that were just told of.
  if (isNews && failures.length === 0) lines.push(`waiting: ${blocked.reason}: ${blocked.message}`);
  return lines;
}

/** Why probes are not attached, where that is more than a matter of a moment. */
function blockedBy({ conditions }: JobView): Condition | undefined {
  const attached = conditions.find(({ type }) => type === 'Attached');
  if (attached?.status !== 'False') return undefined;
  const passing = ['Attaching', 'NoPodsYet', 'Suspended', 'NotEnded', 'Accepted'].includes(attached.reason);
  return passing || attached.reason === '' ? undefined : attached;
}

/** What is wrong with a job that has ended without a result; undefined where it has one. */
export function failureOf(job: JobView): CliError | undefined {
  const rest = restOf(job);
  const name = shortName(job);
  if (rest === 'Failed') {
    const { reason = '', message = '' } = conditionOf(job, 'Failed') ?? {};
    return new CliError('JobFailed', `${name} failed: ${reason}: ${message}`, {
      advice: `docs/errors.md says what to do about ${reason}; \`kubectl describe ${job.kind.toLowerCase()} ${job.name}\` shows the Events.`,
    });
  }
  if (rest === 'Suspended')
    return new CliError('JobStopped', `${name} was stopped before any probe was attached`);
  if (rest === undefined) {
    const phase = job.phase === '' ? 'no operator has taken it up yet' : `it is ${job.phase}`;
    return new CliError('JobNotEnded', `${name} has no result yet: ${phase}`, {
      advice: `\`kubectl sonde watch ${name}\` waits for its end; \`kubectl sonde stop ${name}\` ends it with what it has.`,
    });
  }
  return undefined;
}

/** Said at the end besides the result itself. */
export function endNotes(job: JobView): string[] {
  const degraded = conditionOf(job, 'Degraded');
  if (degraded === undefined) return [];
  const more = job.failuresOmitted > 0 ? ` (${plural(job.failuresOmitted, 'more node')} not listed)` : '';
  return [`the result is a part: ${degraded.reason}: ${degraded.message}${more}`];
}

export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function seconds(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** As kubectl shows ages: 45s, 3m12s, 5h, 3d. */
export function age(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  if (total < 120) return `${total}s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 10) return total % 60 === 0 ? `${minutes}m` : `${minutes}m${total % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
