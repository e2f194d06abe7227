// Network namespaces of a test's own, joined in pairs, and frames to send through them. For tests of what captures packets.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { workload } from './workload.ts';

const ip = (...args: string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });

export interface Pair {
  /** Names of the two namespaces; what `near` has as eth0 is joined to `far`'s. */
  near: string;
  far: string;
  /** A process that lives in the near one until it is removed. */
  pid: number;
  /** Sends frames from the far end. */
  send(frames: readonly Buffer[], times?: number): void;
  remove(): void;
}

/** What keeps a machine from making such pairs; undefined: nothing. */
export function lacking(): string | undefined {
  for (const tool of ['ip', 'tcpdump', 'tshark'])
    if (spawnSync(tool, ['-h']).error !== undefined) return `there is no ${tool} here`;
  return undefined;
}

let made = 0;

/** Nothing has an address there, so nothing but what the test sends goes through. */
export async function makePair(): Promise<Pair> {
  const frames = await workload('frames');
  const number = made++;
  const [near, far] = ['n', 'f'].map((side) => `sonde-${process.pid}-${number}${side}`) as [string, string];
  for (const name of [near, far]) {
    ip('netns', 'add', name);
    for (const which of ['all', 'default'])
      execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', `net.ipv6.conf.${which}.disable_ipv6=1`]);
  }
  ip('-n', near, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far);
  for (const name of [near, far]) {
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  }
  const holder = spawn('ip', ['netns', 'exec', near, 'sleep', '600'], { stdio: 'ignore' });
  const pid = holder.pid ?? 0;
  // `ip` becomes the command once it is in the namespace.
  const home = statSync('/proc/self/ns/net').ino;
  while (statSync(`/proc/${pid}/ns/net`).ino === home) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    near,
    far,
    pid,
    send(list, times = 1) {
      const input = Buffer.concat(
        list.flatMap((frame) => {
          const length = Buffer.alloc(4);
          length.writeUInt32LE(frame.length);
          return [length, frame];
        }),
      );
      execFileSync('ip', ['netns', 'exec', far, frames, 'eth0', String(times)], { input });
    },
    remove() {
      holder.kill('SIGKILL');
      for (const name of [near, far]) ip('netns', 'del', name);
    },
  };
}
