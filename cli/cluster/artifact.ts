// Asks for a file of a job's result by a TraceArtifact, and opens it: by the signed URL, or through the API server's service proxy where the store
// can't be reached from here. Neighbours: operator/artifacts.ts answers, cli/cluster/download.ts reads what is opened.

import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { apiVersion } from '../../crds/trace-job.ts';
import { CliError } from '../errors.ts';
import { type Api, send, whyOf } from './api.ts';
import { type Artifact, fields, type JobRef, line, pathOf, shortName } from './job.ts';
import { called } from './jobs.ts';
import { ApiRefused } from './refused.ts';

/** Where the file can be had, for a while. */
export interface Grant {
  url?: URL;
  /** On the Service sonde-artifacts, which is in this namespace. */
  path: string;
  namespace: string;
  sha256: string;
}

/** The operator answers within a second when it is well. */
const answerMs = 30_000;
const file = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** Names come from the cluster and become names of files here. */
export function isFileName(name: string): boolean {
  return file.test(name);
}

/** Throws CliError: what creating the object may give, ArtifactRefused, OperatorSilent. */
export async function askFor(api: Api, job: JobRef, name: string, signal: AbortSignal): Promise<Grant> {
  const kind = job.kind === 'TraceJob' ? 'TraceArtifact' : 'ClusterTraceArtifact';
  const where = job.namespace === undefined ? '' : ` in namespace ${job.namespace}`;
  const created = fields(
    await api.json({
      tried: `ask for ${name} by a ${kind}${where}`,
      method: 'POST',
      path: pathOf(kind, job.namespace),
      body: {
        apiVersion,
        kind,
        metadata: { generateName: `${job.name.slice(0, 200)}-` },
        spec: { job: { name: job.name }, file: name },
      },
      signal,
    }),
  );
  const own = line(fields(created.metadata).name, 253);
  const path = pathOf(kind, job.namespace, own);
  try {
    const until = performance.now() + answerMs;
    for (let wait = 50; ; wait = Math.min(wait * 1.5, 1000)) {
      const object = fields(await api.json({ tried: `get ${kind} ${own}${where}`, path, signal }));
      const grant = readAnswer(fields(object.status), job, name);
      if (grant !== undefined) return grant;
      if (performance.now() > until) {
        throw new CliError(
          'OperatorSilent',
          `no operator has answered for ${name} of ${called(job)} within ${answerMs / 1000} s`,
        );
      }
      await pause(wait, undefined, { signal });
    }
  } finally {
    // The grant is good without it, and nobody else need read it. Where it stays, the operator removes it.
    await api
      .open({ tried: `delete ${kind} ${own}${where}`, method: 'DELETE', path })
      .then((response) => response.resume())
      .catch(() => undefined);
  }
}

function readAnswer(status: Record<string, unknown>, job: JobRef, name: string): Grant | undefined {
  if (status.phase === 'Failed') {
    const reason = line(status.reason, 63);
    throw new CliError(
      'ArtifactRefused',
      `${name} of ${called(job)} can't be had: ${reason}: ${line(status.message, 1024)}`,
    );
  }
  if (status.phase !== 'Ready') return undefined;
  const { url, path, namespace, sha256 } = status;
  // A path that leaves the Service would be asked of the API server with the user's own rights.
  if (
    typeof path !== 'string' ||
    !/^\/[\x21-\x7e]*$/.test(path) ||
    /(^|\/)\.\.?(\/|$|\?)|#|%2e|%2f|\\/i.test(path)
  ) {
    throw new CliError(
      'ArtifactRefused',
      `the operator's answer for ${name} of ${shortName(job)} has no path that can be asked for`,
    );
  }
  if (typeof namespace !== 'string' || !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) {
    throw new CliError(
      'SondeOlder',
      `the operator's answer for ${name} of ${shortName(job)} does not say where its Service is`,
    );
  }
  const direct = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const web = direct !== undefined && ['https:', 'http:'].includes(direct.protocol);
  return { ...(web ? { url: direct } : {}), path, namespace, sha256: line(sha256, 64) };
}

/** Opens files of one job, remembering whether the store can be reached from here. */
export interface Opener {
  /** From a byte on. Gives the answer's head: 206, or 200 with the whole file. Throws CliError ArtifactUnreachable and what the API server refuses. */
  open(artifact: Artifact, from: number, signal: AbortSignal): Promise<IncomingMessage>;
}

const connectMs = 10_000;

export function openerFor(api: Api, job: JobRef, say: (message: string) => void): Opener {
  let direct = true;
  return {
    async open(artifact, from, signal) {
      const grant = await askFor(api, job, artifact.name, signal);
      if (grant.sha256 !== artifact.sha256) {
        throw new CliError(
          'ArtifactDamaged',
          `${artifact.name}: the store has another digest than ${called(job)} says`,
        );
      }
      const headers: Record<string, string> = from === 0 ? {} : { Range: `bytes=${from}-` };
      if (grant.url !== undefined && direct) {
        const response = await fromStore(grant.url, headers, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          return whyOf(error);
        });
        if (typeof response !== 'string') return response;
        direct = false;
        say(
          `the store can't be reached from here (${grant.url.host}: ${response}); fetching through the API server`,
        );
      }
      return await throughProxy(api, artifact.name, grant, { headers, signal });
    },
  };
}

/** The API server checks the right to services/proxy; the Service checks the path's signature. */
async function throughProxy(
  api: Api,
  name: string,
  { path, namespace }: Grant,
  how: { headers: Record<string, string>; signal: AbortSignal },
): Promise<IncomingMessage> {
  const service = `services/https:sonde-artifacts:8443`;
  try {
    return await api.open({
      tried: `fetch ${name} through the API server`,
      path: `/api/v1/namespaces/${namespace}/${service}/proxy${path}`,
      ...how,
    });
  } catch (error) {
    if (!(error instanceof ApiRefused) || ['Forbidden', 'Unauthorized'].includes(error.code)) throw error;
    // The API server says so where it knows no such Service; anything else is the answer of the Service itself.
    if (error.status === 404 && /services "/.test(error.message)) {
      const message = `can't fetch ${name} through the API server: namespace ${namespace} has no Service sonde-artifacts`;
      const advice = 'Ask who installed Sonde: the chart makes it.';
      throw new CliError('ArtifactUnreachable', message, { advice });
    }
    throw new ApiRefused('ArtifactUnreachable', error.status, error.message);
  }
}

/** No credentials go to the store: the URL is signed. */
async function fromStore(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const response = await send(url, {}, { headers, signal, idleMs: connectMs });
  const status = response.statusCode ?? 0;
  if (status === 200 || status === 206) return response;
  response.destroy();
  throw new Error(`HTTP ${status}`);
}
