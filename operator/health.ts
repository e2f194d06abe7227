// /healthz, /readyz and /metrics over plain HTTP. Neighbours: operator/main.ts, operator/metrics.ts.

import { createServer, type Server } from 'node:http';
import type { Metrics } from './metrics.ts';

export interface Health {
  port: number;
  close(): Promise<void>;
}

export async function serveHealth(port: number, isReady: () => boolean, metrics: Metrics): Promise<Health> {
  const server = createServer((request, response) => {
    const say = (status: number, text: string) =>
      response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'GET only\n');
    if (request.url === '/healthz') return say(200, 'ok\n');
    if (request.url === '/readyz') return isReady() ? say(200, 'ready\n') : say(503, 'not yet\n');
    if (request.url !== '/metrics') return say(404, 'no such page\n');
    return metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => say(500, `${String(error)}\n`),
    );
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await listening(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, resolve);
  return promise;
}
