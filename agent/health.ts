// What the kubelet's probes ask, over plain HTTP on a port of its own: the gRPC port answers the operator only. Neighbour: agent/main.ts.

import { createServer } from 'node:http';

export interface Health {
  port: number;
  close(): void;
}

/** /healthz: the process answers. /readyz: it serves. */
export async function serveHealth(port: number, isReady: () => boolean): Promise<Health> {
  const server = createServer((request, response) => {
    const found = request.url === '/healthz' || request.url === '/readyz';
    const status = !found ? 404 : request.url === '/healthz' || isReady() ? 200 : 503;
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(`${status === 200 ? 'ok' : 'no'}\n`);
  });
  server.maxConnections = 64;
  server.headersTimeout = 5000;
  server.requestTimeout = 5000;
  server.keepAliveTimeout = 1000;
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, resolve);
  await listening;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
