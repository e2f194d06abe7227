// One at a time may start or end the cluster, on this machine: whoever listens on a name that the kernel forgets with its process.

import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** Runs while no other process does, and waits for that. */
export async function alone<T>(run: () => Promise<T>, waitMs = 30 * 60_000): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('listening', () => resolve(true));
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      );
      server.listen('\0sonde-test-cluster');
    });
    if (taken) {
      try {
        return await run();
      } finally {
        server.close();
      }
    }
    if (performance.now() > deadline)
      throw new Error('another process has been starting or ending the cluster for too long');
    await setTimeout(200);
  }
}
