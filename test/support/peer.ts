// The tools that gadgets replace, run beside them on the same workload: bpftrace counting in the kernel, where it is exact.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';

const bpftrace = '/usr/bin/bpftrace';

/** False in guests that have no peers; then a test holds only against the workload's own numbers. */
export const havePeers = existsSync(bpftrace);

export interface PeerCount {
  /** Ends it and gives its maps' values by name and key: `@calls[openat]: 7` is { 'calls[openat]': 7 }. */
  stop(): Promise<Record<string, number>>;
}

/** Starts bpftrace with a script that counts into maps; resolves when its probes are attached. */
export async function startBpftrace(script: string): Promise<PeerCount> {
  // At SIGINT it prints its maps by itself.
  const peer = spawn(bpftrace, ['-e', `${script} BEGIN { printf("attached\\n"); }`], {
    env: { ...process.env, BPFTRACE_MAP_KEYS_MAX: '65536' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const ended = Promise.withResolvers<void>();
  const attached = Promise.withResolvers<void>();
  const listen = (text: string): void => {
    said += text;
    if (/^attached$/m.test(said)) attached.resolve();
  };
  peer.stdout.setEncoding('utf8').on('data', listen);
  peer.stderr.setEncoding('utf8').on('data', listen);
  peer.on('error', attached.reject).on('close', (code) => {
    attached.reject(new Error(`bpftrace ended with ${code}: ${said}`));
    ended.resolve();
  });
  await attached.promise;
  return {
    stop: async () => {
      // Until it hears it: it looks for the signal only while it waits for events.
      const again = setInterval(() => peer.kill(constants.signals.SIGINT), 200);
      peer.kill(constants.signals.SIGINT);
      await ended.promise;
      clearInterval(again);
      const found = said.matchAll(/^@(\w+(?:\[[^\]]*\])?): (\d+)$/gm);
      return Object.fromEntries(Array.from(found, ([, name, count]) => [name, Number(count)]));
    },
  };
}

/** Runs a script to its end, or until its command has ended. */
export async function runBpftrace(
  script: string,
  positional: string[] = [],
  command?: string[],
): Promise<{ out: string; said: string; code: number | null }> {
  const inside = command === undefined ? [] : ['-c', command.join(' ')];
  const peer = spawn(bpftrace, [...inside, '-e', script, ...positional], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let said = '';
  peer.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  peer.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const late = setTimeout(() => peer.kill(constants.signals.SIGINT), 20_000);
  const ended = Promise.withResolvers<number | null>();
  peer.on('error', ended.reject).on('close', ended.resolve);
  try {
    const code = await ended.promise;
    return { out, said, code };
  } finally {
    clearTimeout(late);
  }
}
