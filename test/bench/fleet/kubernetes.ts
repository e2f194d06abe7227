// As much of an API server as the operator needs, in this process, over HTTP on loopback: what is there at the start, one job, its status as it is
// applied. Neighbour: test/bench/rows/fleet.ts.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TraceJobStatus } from '../../../crds/status.ts';
import { apiVersion } from '../../../crds/trace-job.ts';

interface Kept {
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string };
  [member: string]: unknown;
}

export interface PlayedKubernetes {
  server: string;
  addJob(job: Kept): void;
  /** Resolves with the status, and when it came, as soon as one of these conditions is true. */
  until(types: readonly string[]): Promise<{ status: TraceJobStatus; at: number }>;
  close(): void;
}

const jobsPath = `/apis/${apiVersion}/tracejobs`;

/** `lists`: by path, what each collection holds. */
export async function playKubernetes(lists: Readonly<Record<string, Kept[]>>): Promise<PlayedKubernetes> {
  const watches = new Set<ServerResponse>();
  const waiting: { types: readonly string[]; resolve(met: { status: TraceJobStatus; at: number }): void }[] =
    [];
  let version = 1;
  let job: Kept | undefined;
  let lease: object | undefined;

  function tell(type: 'ADDED' | 'MODIFIED'): void {
    if (job === undefined) return;
    job.metadata.resourceVersion = String(++version);
    for (const watch of watches) watch.write(`${JSON.stringify({ type, object: job })}\n`);
  }

  function apply(body: Kept, path: string): Kept {
    if (job === undefined) throw new Error('there is no job');
    if (path.endsWith('/status')) {
      const status = body.status as TraceJobStatus;
      job.status = status;
      const at = Date.now();
      for (const { types, resolve } of waiting)
        if (status.conditions?.some(({ type, status: is }) => types.includes(type) && is === 'True'))
          resolve({ status, at });
    } else job.metadata = { ...job.metadata, ...body.metadata };
    tell('MODIFIED');
    return job;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
    const say = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (pathname.includes('/leases')) {
      if (request.method !== 'GET') lease = JSON.parse(text) as object;
      return void (lease === undefined ? say(404, {}) : say(200, lease));
    }
    if (request.method === 'PATCH' && pathname.includes('/tracejobs/'))
      return void say(200, apply(JSON.parse(text) as Kept, pathname));
    if (request.method !== 'GET') return void say(201, JSON.parse(text) as object);
    if (searchParams.get('watch') !== 'true') {
      const items = pathname === jobsPath && job !== undefined ? [job] : (lists[pathname] ?? []);
      return void say(200, { metadata: { resourceVersion: String(version) }, items });
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (pathname !== jobsPath) return;
    watches.add(response);
    response.on('close', () => watches.delete(response));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the API server has no port');
  return {
    server: `http://127.0.0.1:${address.port}`,
    addJob(added) {
      job = added;
      tell('ADDED');
    },
    until: (types) => new Promise((met) => waiting.push({ types, resolve: met })),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
