// Kubernetes' containers by the CRI socket, against a runtime that speaks it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { criService, findSockets, listCri } from './cri.ts';

test('a container is known by its name, its pod and its namespace', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-cri-'));
  const socket = join(folder, 'runtime.sock');
  const server = new Server();
  const containers = [
    {
      id: 'abc',
      metadata: { name: 'api' },
      labels: [
        { key: 'io.kubernetes.pod.name', value: 'checkout-1' },
        { key: 'io.kubernetes.pod.namespace', value: 'shop' },
        { key: 'io.kubernetes.container.name', value: 'api' },
      ],
    },
    { id: 'def', metadata: { name: 'bare' } },
    { id: '' },
  ];
  server.addService(await criService(), {
    ListContainers: (_: unknown, reply: (error: null, response: unknown) => void) =>
      reply(null, { containers }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
  await promise;
  try {
    assert.deepEqual(findSockets(`unix://${socket}`)[0], socket);
    assert.deepEqual(
      [...(await listCri(socket))],
      [
        [
          'abc',
          {
            names: ['api', 'checkout-1/api', 'shop/checkout-1/api', 'checkout-1'],
            namespace: 'shop',
            pod: 'checkout-1',
          },
        ],
        ['def', { names: ['bare'] }],
      ],
    );
  } finally {
    server.forceShutdown();
    rmSync(folder, { recursive: true });
  }
});

test('a socket that nobody answers gives no names and no error', async () => {
  assert.deepEqual([...(await listCri('/nonexistent/sonde.sock'))], []);
});
