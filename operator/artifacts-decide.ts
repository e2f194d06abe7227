// A TraceArtifact → what to do about it. Pure. Neighbours: operator/artifacts.ts does it, crds/trace-artifact.ts is what is asked and answered.

import type { TraceJobStatus } from '../crds/status.ts';
import { type ArtifactKind, type ArtifactStatus, artifactSpecSchema } from '../crds/trace-artifact.ts';
import type { Kind } from '../crds/trace-job.ts';
import type { StoreReason } from './stores/store.ts';

/** How long a URL works. Long enough for a slow line to begin; a download that has begun goes on. */
export const validMs = 15 * 60_000;
/** An answer that nobody needs any more is kept so long, then the object is deleted. */
const keptMs = 60_000;
/** A store that does not answer is asked again for so long before the asker hears of it. */
export const patienceMs = 60_000;

/** Why a file can't be had, besides what a store says. */
export const artifactReasons = {
  InvalidSpec: {
    meaning: 'The object asks in a way that the API server did not see.',
    advice: 'The message names the field; create the object again.',
  },
  JobMissing: {
    meaning: 'There is no job of the name.',
    advice:
      'A TraceArtifact asks for a job of its own namespace; a ClusterTraceJob needs a ClusterTraceArtifact.',
  },
  NotPublished: {
    meaning: 'The job has no result yet, or ended without one.',
    advice: 'Wait for the condition Complete or Failed, then ask again.',
  },
  FileMissing: {
    meaning: "The job's result has no file of the name.",
    advice: 'The message lists the files that there are.',
  },
} as const;

export type ArtifactReason = keyof typeof artifactReasons | StoreReason;

export interface ArtifactObject {
  kind: ArtifactKind;
  metadata: { name: string; namespace?: string; uid: string; creationTimestamp: number };
  spec: unknown;
  status: ArtifactStatus;
}

export interface OwningJob {
  uid: string;
  store: string;
  status: TraceJobStatus;
}

export type File = NonNullable<TraceJobStatus['artifacts']>[number];

/** Of one look at one object. */
export type ArtifactPlan =
  | { kind: 'Wait' }
  | { kind: 'Delete' }
  | { kind: 'Fail'; status: ArtifactStatus }
  | { kind: 'LookUp'; job: string; file: string };

/** Whether the object is to be answered, and what for. */
export function planArtifact({ spec, status }: ArtifactObject, now: number): ArtifactPlan {
  if (status.phase === 'Ready' || status.phase === 'Failed') {
    const expires = Date.parse(status.expiresAt ?? '');
    // NaN: an answer without an end is none of ours.
    return now < expires + keptMs ? { kind: 'Wait' } : { kind: 'Delete' };
  }
  const parsed = artifactSpecSchema.safeParse(spec);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const message = `spec.${issue?.path.join('.')}: ${issue?.message}`;
    return { kind: 'Fail', status: failed('InvalidSpec', message, now) };
  }
  return { kind: 'LookUp', job: parsed.data.job.name, file: parsed.data.file };
}

/** The file of the job that is asked for, or why there is none. */
export function findFile(
  { kind, metadata }: ArtifactObject,
  asked: { job: string; file: string },
  job: OwningJob | undefined,
  now: number,
): { file: File } | { status: ArtifactStatus } {
  const fail = (reason: ArtifactReason, message: string) => ({ status: failed(reason, message, now) });
  const jobKind: Kind = kind === 'TraceArtifact' ? 'TraceJob' : 'ClusterTraceJob';
  if (job === undefined) {
    const where = metadata.namespace === undefined ? '' : ` in ${metadata.namespace}`;
    return fail('JobMissing', `there is no ${jobKind} ${asked.job}${where}; it may have been deleted`);
  }
  const { artifacts = [], phase = 'Pending' } = job.status;
  if (artifacts.length === 0)
    return fail('NotPublished', `${asked.job} is ${phase} and has no result; wait until it has ended`);
  const file = artifacts.find(({ name }) => name === asked.file);
  if (file !== undefined) return { file };
  const names = artifacts.map(({ name }) => name).join(', ');
  return fail('FileMissing', `${asked.job} has no ${asked.file}; there are ${names}`);
}

export function failed(reason: ArtifactReason, message: string, now: number): ArtifactStatus {
  const expiresAt = isoTime(now + validMs);
  return { phase: 'Failed', reason, message: message.slice(0, 1024), expiresAt };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
