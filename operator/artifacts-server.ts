// Serves signed paths over HTTPS, nothing else: for stores without URLs of their own and for clients that can't reach them. Neighbours:
// operator/artifacts-path.ts (what a path says), operator/stores/ (the bytes), operator/artifacts.ts (starts it).

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Claims, checkPath } from './artifacts-path.ts';
import type { Log } from './hands.ts';
import type { OpenedStore } from './stores/open.ts';
import { artifactKey, type ByteRange, StoreError } from './stores/store.ts';

export interface ServerCertificate {
  cert: string;
  key: string;
}

export interface ArtifactsServerOptions {
  port: number;
  certificate: ServerCertificate;
  key: Buffer;
  openStore(reference: { namespace: string | null; name: string }): Promise<OpenedStore>;
  log: Log;
  /** ms since the Unix epoch. */
  now(): number;
  /** More are turned away. */
  maxConnections?: number;
}

export interface ArtifactsServer {
  port: number;
  /** For connections that come from now on. */
  useCertificate(certificate: ServerCertificate): void;
  close(): Promise<void>;
}

/** A connection on which nothing moves is ended. */
const idleMs = 60_000;

export async function serveArtifacts(options: ArtifactsServerOptions): Promise<ArtifactsServer> {
  const server = createServer(
    {
      ...options.certificate,
      minVersion: 'TLSv1.3',
      handshakeTimeout: 10_000,
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16 << 10,
    },
    (request, response) => void answer(options, request, response),
  );
  server.maxConnections = options.maxConnections ?? 128;
  server.setTimeout(idleMs, (socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(options.port, () => resolve());
  await promise;
  // Broken handshakes are their clients' business.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: ({ cert, key }) => server.setSecureContext({ cert, key, minVersion: 'TLSv1.3' }),
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  options: ArtifactsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'only GET and HEAD');
    const [path = ''] = (request.url ?? '').split('?', 1);
    const verdict = checkPath(options.key, path, options.now());
    if (verdict.kind === 'Forged')
      return refuse(response, 403, 'not a path that was signed here; create a TraceArtifact to get one');
    if (verdict.kind === 'Expired')
      return refuse(response, 410, 'this path has expired; create a TraceArtifact to get another');
    await send(options, verdict.claims, request, response, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    const { reason = 'Internal', message } = error as { reason?: string; message: string };
    options.log.warn({ reason, error: message }, 'an artifact could not be served');
    if (response.headersSent) return void response.destroy();
    if (error instanceof StoreError)
      refuse(response, error.reason === 'ArtifactMissing' ? 404 : 502, message);
    else refuse(response, 500, 'the operator failed; its log says why');
  }
}

async function send(
  options: ArtifactsServerOptions,
  claims: Claims,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, job, uid, file, bytes } = claims;
  const etag = `"${claims.sha256}"`;
  // Of another file, or one that was another before, all of it is wanted.
  const same = (request.headers['if-range'] ?? etag) === etag;
  const range = same ? rangeOf(request.headers.range, bytes) : undefined;
  response.setHeaders(new Headers(headersOf(claims, etag)));
  if (range === 'Unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${bytes}`);
    return refuse(response, 416, `the file has ${bytes} bytes`);
  }
  const length = range === undefined ? bytes : range.to - range.from + 1;
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${range.from}-${range.to}/${bytes}`);
  response.statusCode = range === undefined ? 200 : 206;
  response.setHeader('Content-Length', length);
  if (request.method === 'HEAD' || length === 0) return void response.end();
  const { store, prefix } = await options.openStore({ namespace, name: claims.store });
  try {
    const key = artifactKey(prefix, { namespace, name: job, uid, edition: claims.edition }, file);
    const body = await store.read(key, signal, range);
    await pipeline(Readable.from(body), response, { signal });
  } finally {
    store.close();
  }
}

/** A report is a page with scripts, and would run as the API server's own where it comes through that: it may be saved, not shown. Nor is it called
 *  HTML: in what is, the API server's proxy rewrites links, and neither size nor digest are right any more. */
function headersOf({ mediaType, file }: Claims, etag: string): Record<string, string> {
  return {
    'Content-Type': mediaType.startsWith('text/html') ? 'application/octet-stream' : mediaType,
    'Content-Disposition': `attachment; filename="${file}"`,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-store',
    'Accept-Ranges': 'bytes',
    ETag: etag,
  };
}

/** One range, as RFC 9110 has it; what is no range, or more than one, is passed over. */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | 'Unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const count = Math.min(Number(last), bytes);
    return count === 0 ? 'Unsatisfiable' : { from: bytes - count, to: bytes - 1 };
  }
  const from = Number(first);
  const to = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= bytes ? 'Unsatisfiable' : { from, to };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  for (const name of ['Content-Disposition', 'Content-Length', 'ETag']) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${message}\n`);
}
