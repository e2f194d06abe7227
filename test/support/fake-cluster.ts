// An API server of a test's own on loopback, as far as kubectl-sonde asks of one: jobs and artifacts are created, got, listed, watched, patched and
// deleted; files come by signed URL and through the service proxy. What the operator would do, the test does. Callers: cli/cluster/*.test.ts.

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Json = Record<string, unknown>;

export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    generation: number;
    resourceVersion: string;
    creationTimestamp: string;
  };
  spec: Json;
  status?: Json;
}

export interface FakeCluster {
  url: string;
  /** A folder with a kubeconfig, removed at the end. */
  folder: string;
  kubeconfig: string;
  /** Every request so far: `POST /apis/…`, without its query. */
  requests: string[];
  objects: Map<string, FakeObject>;
  /** By name. */
  files: Map<string, Buffer>;
  put(object: Json & { kind: string; metadata: { name: string; namespace?: string } }): FakeObject;
  setStatus(name: string, status: Json): void;
  remove(name: string): void;
  /** Cuts every watch off in the middle. */
  dropWatches(): void;
  /** Answers in place of the cluster where it gives something. */
  answer?: (request: {
    method: string;
    path: string;
    query: URLSearchParams;
  }) => { status: number; body: string } | undefined;
  /** Plays the operator: called after each change of an object. */
  changed?: (object: FakeObject) => void;
  /** What a TraceArtifact of a file is answered with; absent: Ready, by the store's URL and the proxy's path. */
  artifact?: (file: string) => Json | undefined;
  /** The store: called before a file is sent; may break the connection after so many bytes, or send other ones. */
  store: {
    url: string | null;
    send?: (file: string, from: number) => { bytes?: Buffer; cutAfter?: number } | undefined;
    served: string[];
  };
  close(): Promise<void>;
}

export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function startFakeCluster(tls?: {
  cert: string;
  key: string;
  ca: string;
}): Promise<FakeCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-fake-'));
  const objects = new Map<string, FakeObject>();
  const files = new Map<string, Buffer>();
  const watchers = new Set<{ response: ServerResponse; collection: string; name: string | undefined }>();
  const history: { type: string; object: FakeObject; at: number }[] = [];
  let version = 100;
  const store = createServer((request, response) => sendFile(request, response, true));
  const handler = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server: Server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  await Promise.all([listen(server), listen(store)]);
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port(server)}`;
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(url, tls?.ca));

  const collectionOf = ({
    kind,
    metadata: { namespace },
  }: {
    kind: string;
    metadata: { namespace?: string };
  }) =>
    `/apis/sonde.dev/v1alpha1${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind.toLowerCase()}s`;
  const tell = (type: string, object: FakeObject) => {
    history.push({ type, object: structuredClone(object), at: version });
    for (const { response, collection, name } of watchers) {
      if (collection !== collectionOf(object) || (name !== undefined && name !== object.metadata.name))
        continue;
      response.write(`${JSON.stringify({ type, object })}\n`);
    }
    cluster.changed?.(object);
  };
  const byName = (name: string) => {
    const object = [...objects.values()].find(
      (each) => each.metadata.name === name && each.kind.endsWith('Job'),
    );
    if (object === undefined) throw new Error(`the fake cluster has no job ${name}`);
    return object;
  };
  const change = (object: FakeObject) => {
    object.metadata.resourceVersion = String(++version);
    tell('MODIFIED', object);
  };

  const cluster: FakeCluster = {
    ...{ url, folder, kubeconfig, objects, files, requests: [] },
    store: { url: `http://127.0.0.1:${port(store)}`, served: [] },
    put(given) {
      const { metadata } = given;
      const object = {
        ...{ apiVersion: 'sonde.dev/v1alpha1', spec: {}, ...given },
        metadata: {
          ...metadata,
          uid: randomUUID(),
          generation: 1,
          resourceVersion: String(++version),
          creationTimestamp: new Date().toISOString(),
        },
      };
      objects.set(`${collectionOf(object)}/${metadata.name}`, object);
      tell('ADDED', object);
      return object;
    },
    setStatus(name, status) {
      const object = byName(name);
      object.status = { ...object.status, observedGeneration: object.metadata.generation, ...status };
      change(object);
    },
    remove(name) {
      const object = byName(name);
      objects.delete(`${collectionOf(object)}/${name}`);
      version++;
      tell('DELETED', object);
    },
    dropWatches() {
      for (const { response } of watchers) response.destroy();
    },
    async close() {
      for (const each of [server, store]) {
        each.closeAllConnections();
        each.close();
        await once(each, 'close');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', url);
    const method = request.method ?? '';
    cluster.requests.push(`${method} ${path}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Json);
    const own = cluster.answer?.({ method, path, query });
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    if (own !== undefined) {
      response.writeHead(own.status).end(own.body);
      return;
    }
    if (path.includes('/services/https:sonde-artifacts:8443/proxy/'))
      return sendFile(request, response, false);
    if (path === '/version') return json(200, { gitVersion: 'v1.36.1' });
    if (path === '/apis/sonde.dev/v1alpha1') return json(200, { kind: 'APIResourceList' });
    if (path.endsWith('/selfsubjectaccessreviews')) return json(201, { status: { allowed: true } });
    const object = objects.get(path);
    if (method === 'POST') return created(path, body, json);
    if (
      object === undefined &&
      !/s$/.test(
        path
          .replace(/\/namespaces\/[^/]+/, '')
          .split('/')
          .at(-1) ?? '',
      )
    )
      return json(404, status(404, 'NotFound', `${path.split('/').at(-1)} not found`, 'tracejobs'));
    if (object === undefined)
      return query.get('watch') === 'true' ? watched(path, query, response) : json(200, listOf(path, query));
    if (method === 'DELETE') objects.delete(path);
    if (method === 'PATCH') {
      object.spec = { ...object.spec, ...(body.spec as Json) };
      object.metadata.generation++;
      change(object);
    }
    json(200, object);
  }

  function created(path: string, body: Json, json: (status: number, value: unknown) => void): void {
    const { name, generateName, namespace } = body.metadata as {
      name?: string;
      generateName?: string;
      namespace?: string;
    };
    const made = name ?? `${generateName}${randomUUID().slice(0, 5)}`;
    if (objects.has(`${path}/${made}`)) {
      json(409, status(409, 'AlreadyExists', `tracejobs.sonde.dev "${made}" already exists`, 'tracejobs'));
      return;
    }
    const where = /\/namespaces\/([^/]+)\//.exec(path)?.[1] ?? namespace;
    const object = cluster.put({
      ...(body as Json & { kind: string }),
      metadata: { name: made, ...(where === undefined ? {} : { namespace: where }) },
    });
    json(201, structuredClone(object));
    if (object.kind.endsWith('Artifact')) grant(object);
  }

  function grant(object: FakeObject): void {
    const file = String(object.spec.file);
    const bytes = files.get(file);
    object.status =
      cluster.artifact === undefined
        ? {
            phase: 'Ready',
            ...(cluster.store.url === null
              ? {}
              : { url: `${cluster.store.url}/bucket/${file}?signature=good` }),
            path: `/v1/${file}?signature=good`,
            namespace: 'sonde-system',
            sha256: digest(bytes ?? Buffer.alloc(0)),
          }
        : (cluster.artifact(file) ?? {});
  }

  function listOf(path: string, query: URLSearchParams): Json {
    // Two a page, whatever is asked for: so that pages are turned.
    const everywhere = path.replace('/apis/sonde.dev/v1alpha1/', '');
    const all = [...objects.values()].filter((object) =>
      path.includes('/namespaces/')
        ? collectionOf(object) === path
        : `${object.kind.toLowerCase()}s` === everywhere,
    );
    const from = Number(query.get('continue') ?? 0);
    const more = from + 2 < all.length;
    const items = all.slice(from, from + 2).map(({ kind: _, apiVersion: __, ...item }) => item);
    return {
      apiVersion: 'sonde.dev/v1alpha1',
      kind: 'List',
      metadata: { ...(more ? { continue: String(from + 2) } : {}) },
      items,
    };
  }

  function watched(collection: string, query: URLSearchParams, response: ServerResponse): void {
    const name = query.get('fieldSelector')?.replace('metadata.name=', '');
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    const watcher = { response, collection, name };
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
    // What has happened since the version that was seen.
    for (const { type, object, at } of history) {
      const own = collectionOf(object) === collection && object.metadata.name === name;
      if (own && at > Number(query.get('resourceVersion')))
        response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, direct: boolean): void {
    const { pathname, searchParams } = new URL(request.url ?? '', url);
    const name = pathname.split('/').at(-1) ?? '';
    const whole = files.get(name);
    if (whole === undefined || searchParams.get('signature') !== 'good') {
      response.writeHead(403).end('no');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    cluster.store.served.push(`${direct ? 'store' : 'proxy'} ${name} ${from}`);
    const odd = cluster.store.send?.(name, from);
    const bytes = (odd?.bytes ?? whole).subarray(from);
    const range = from === 0 ? {} : { 'Content-Range': `bytes ${from}-${whole.length - 1}/${whole.length}` };
    response.writeHead(from === 0 ? 200 : 206, { 'Content-Length': bytes.length, ...range });
    if (odd?.cutAfter === undefined) response.end(bytes);
    else response.write(bytes.subarray(0, odd.cutAfter), () => setTimeout(() => response.destroy(), 20));
  }

  return cluster;
}

/** As the API server refuses. */
export function status(code: number, reason: string, message: string, kind = ''): Json {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    message,
    code,
    ...(kind === '' ? {} : { details: { kind } }),
  };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function kubeconfigOf(url: string, ca: string | undefined): string {
  const cluster = {
    server: url,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster }],
    users: [{ name: 'tester', user: { token: 'letmein' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'tester', namespace: 'shop' } }],
    'current-context': 'fake',
  });
}
