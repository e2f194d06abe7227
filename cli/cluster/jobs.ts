// Jobs of the cluster: got, listed, created, stopped, followed to their end. Neighbours: cli/cluster/api.ts (HTTP), cli/cluster/job.ts (what a job is).

import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { nearestName } from '../../bpf/nearest.ts';
import type { Kind } from '../../crds/trace-job.ts';
import { CliError } from '../errors.ts';
import type { Api } from './api.ts';
import { fields, type JobRef, pathOf, shortName, viewOf } from './job.ts';
import { ApiRefused } from './refused.ts';

/** For messages: "TraceJob checkout-cpu in namespace shop". */
export function called({ kind, name, namespace }: JobRef): string {
  return `${kind} ${name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

/** The object, as it is. Throws CliError JobNotFound with the nearest name. */
export async function getJob(api: Api, ref: JobRef, signal?: AbortSignal): Promise<unknown> {
  try {
    return await api.json({
      tried: `get ${called(ref)}`,
      path: pathOf(ref.kind, ref.namespace, ref.name),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw error instanceof ApiRefused && error.code === 'JobNotFound' ? await notFound(api, ref) : error;
  }
}

async function notFound(api: Api, ref: JobRef): Promise<CliError> {
  // Who may not list gets the plain message.
  const names = await listJobs(api, ref.kind, ref.namespace)
    .then((list) => list.map((each) => viewOf(each).name))
    .catch(() => []);
  const meant = nearestName(ref.name, names);
  const hint = meant === undefined ? '' : `; did you mean ${shortName({ ...ref, name: meant })}?`;
  return new CliError('JobNotFound', `there is no ${called(ref)}${hint}`);
}

/** All of a kind, in one namespace or in all, page by page. */
export async function listJobs(
  api: Api,
  kind: Kind,
  namespace: string | undefined,
  selector?: string,
): Promise<unknown[]> {
  const jobs: unknown[] = [];
  const where =
    kind === 'ClusterTraceJob'
      ? ''
      : namespace === undefined
        ? ' in all namespaces'
        : ` in namespace ${namespace}`;
  let next = '';
  do {
    const query = new URLSearchParams({ limit: '500', ...(next === '' ? {} : { continue: next }) });
    if (selector !== undefined) query.set('labelSelector', selector);
    const page = fields(
      await api.json({ tried: `list ${kind}s${where}`, path: `${pathOf(kind, namespace)}?${query}` }),
    );
    if (Array.isArray(page.items)) {
      // Items of a list do not say what they are.
      for (const item of page.items) jobs.push({ apiVersion: page.apiVersion, kind, ...fields(item) });
    }
    const token = fields(page.metadata).continue;
    next = typeof token === 'string' ? token : '';
  } while (next !== '');
  return jobs;
}

/** Creates it. A field that the cluster does not know is refused, not dropped. */
export async function createJob(api: Api, ref: JobRef, manifest: unknown): Promise<unknown> {
  return await api.json({
    tried: `create ${called(ref)}`,
    method: 'POST',
    path: `${pathOf(ref.kind, ref.namespace)}?fieldValidation=Strict&fieldManager=kubectl-sonde`,
    body: manifest,
  });
}

/** Ends it with what it has: the operator sees spec.suspend. */
export async function stopJob(api: Api, ref: JobRef): Promise<unknown> {
  return await api.json({
    tried: `stop ${called(ref)}`,
    method: 'PATCH',
    path: `${pathOf(ref.kind, ref.namespace, ref.name)}?fieldManager=kubectl-sonde`,
    body: { spec: { suspend: true } },
    contentType: 'application/merge-patch+json',
  });
}

export interface FollowOptions {
  signal?: AbortSignal;
  /** Said once when the API server goes away while the job is followed, and once when it is back. */
  say: (message: string) => void;
  /** How long it may be away, ms. Default five minutes. */
  patienceMs?: number;
}

/** A watch is ended by the server after so long, and begun again: a connection that died unnoticed costs no more than that. */
const watchSeconds = 60;

/** The job as it is, then after each change; undefined and the end when it has been deleted. Whoever follows decides when to stop.
 *  A connection that breaks is made again. Throws what getJob throws at first, later ClusterUnreachable after `patienceMs`. */
export async function* followJob(api: Api, ref: JobRef, options: FollowOptions): AsyncGenerator<unknown> {
  const { signal, say, patienceMs = 300_000 } = options;
  let uid: string | undefined;
  let version = '';
  let awaySince: number | undefined;
  let wait = 250;
  for (;;) {
    try {
      const job = await getJob(api, ref, signal);
      if (awaySince !== undefined) say('the API server is back');
      awaySince = undefined;
      wait = 250;
      const view = viewOf(job);
      uid ??= view.uid;
      // One of the same name, made anew, is another job.
      if (view.uid !== uid) return yield undefined;
      if (view.resourceVersion !== version) yield job;
      version = view.resourceVersion;
      for await (const event of watch(api, ref, version, signal)) {
        const { type, object } = event;
        if (type === 'DELETED') return yield undefined;
        if (type !== 'ADDED' && type !== 'MODIFIED') break;
        version = viewOf(object).resourceVersion;
        yield object;
      }
    } catch (error) {
      if (signal?.aborted === true) throw error;
      if (error instanceof CliError && error.code === 'JobNotFound' && uid !== undefined)
        return yield undefined;
      if (uid === undefined || !passes(error)) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > patienceMs) throw error;
      if (wait === 250) say(`${error instanceof Error ? error.message : String(error)}; trying again`);
      await pause(wait, undefined, signal === undefined ? {} : { signal });
      wait = Math.min(wait * 2, 5000);
    }
  }
}

/** An API server that restarts, or is overloaded. */
function passes(error: unknown): boolean {
  if (error instanceof ApiRefused) return error.status === 429 || error.status >= 500;
  return error instanceof CliError && error.code === 'ClusterUnreachable';
}

interface WatchEvent {
  type: string;
  object: unknown;
}

/** Ends when the server ends it; an event that is none of the job (an expired version, say) is given as it comes. */
async function* watch(
  api: Api,
  ref: JobRef,
  resourceVersion: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent> {
  const query = new URLSearchParams({
    watch: 'true',
    fieldSelector: `metadata.name=${ref.name}`,
    resourceVersion,
    timeoutSeconds: String(watchSeconds),
  });
  const response: IncomingMessage = await api.open({
    tried: `watch ${called(ref)}`,
    path: `${pathOf(ref.kind, ref.namespace)}?${query}`,
    idleMs: (watchSeconds + 15) * 1000,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    for await (const text of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      const { type, object } = fields(parsed(text));
      if (typeof type === 'string') yield { type, object };
    }
  } catch (error) {
    // A connection that broke in the middle is an end like another: the job is asked for again.
    if (signal?.aborted === true) throw error;
  } finally {
    response.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
