// What only one process of this machine may do at a time: whoever listens on a name that the kernel forgets with its process.

import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** Runs while no other process does, and waits for that. */
export async function alone<T>(name: string, run: () => Promise<T>, waitMs = 30 * 60_000): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('listening', () => resolve(true));
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      );
      server.listen(name);
    });
    if (taken) {
      try {
        return await run();
      } finally {
        server.close();
      }
    }
    if (performance.now() > deadline)
      throw new Error(`another process has held ${name.slice(1)} for too long`);
    await setTimeout(200);
  }
}
