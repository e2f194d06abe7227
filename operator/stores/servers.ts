// Starts a real storage server on a free port of loopback for operator/stores/*.server.test.ts, and ends it by its id. Not shipped.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TestServer extends AsyncDisposable {
  url: string;
  port: number;
  /** Its own, removed with it. */
  folder: string;
}

/** command: given the port and an empty folder. Resolves when it takes connections. */
export async function startServer(
  command: (port: number, folder: string) => string[],
  env: Record<string, string> = {},
  onPort?: number,
): Promise<TestServer> {
  const port = onPort ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'sonde-server-'));
  const [file = '', ...args] = command(port, folder);
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
  const end = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 90_000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end();
      throw new Error(`${file} does not listen on ${port}: ${said}`);
    }
    await sleep(50);
  }
  return { url: `http://127.0.0.1:${port}`, port, folder, [Symbol.asyncDispose]: end };
}

/** A port on which nothing listens, just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
