// A packet-capture session and a tcpdump beside it, and what both wrote, packet by packet.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Budget, SessionRequest } from '../../agent/plan.ts';
import { type Session, startSession } from '../../agent/session.ts';
import { planTrace } from '../../bpf/plan.ts';
import { loadGadget } from '../../bpf/registry.ts';
import { writeResult } from '../../results/publish.ts';
import type { ResultMeta } from '../../results/shape.ts';

export interface Packet {
  /** Nanoseconds. */
  time: bigint;
  originalBytes: number;
  bytes: string;
}

export interface Capture {
  session: Session;
  /** Ends it, and gives its packets. */
  end(): Promise<{
    meta: ResultMeta;
    rows: (Packet & { pod: string | null; container: string | null })[];
    /** Writes the result into a folder, which remove() takes away. */
    publish(): Promise<string>;
  }>;
  remove(): Promise<void>;
}

/** A session on a process's network namespace. `more`: other targets than that process. */
export async function capture(
  pid: number,
  parameters: Record<string, unknown>,
  more: Partial<SessionRequest> & { budget?: Budget } = {},
): Promise<Capture> {
  const spool = await mkdtemp(join(tmpdir(), 'sonde-capture-'));
  const remove = () => rm(spool, { recursive: true, force: true });
  try {
    const session = await startSession({
      job: { name: 'test', namespace: null, uid: spool },
      node: 'node-1',
      plan: planTrace(await loadGadget('packet-capture'), parameters),
      targets: [{ kind: 'process', pid, owner: { namespace: null, pod: null, container: 'test' } }],
      budget: {},
      redact: 'None',
      spool,
      ...more,
    });
    return {
      session,
      async end() {
        session.stop('Stopped');
        const { meta, rows } = await session.finished;
        const publish = async (): Promise<string> => {
          const folder = join(spool, 'result');
          await writeResult({ meta, rows }, folder);
          return folder;
        };
        return { meta, rows: linesOf(rows), publish };
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function linesOf(path: string): (Packet & { pod: string | null; container: string | null })[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((text) => {
    const { time, packet, originalBytes, pod, container } = JSON.parse(text);
    const [, seconds, fraction] = /^(.*)\.(\d{9})Z$/.exec(time) ?? [];
    return {
      time: BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction ?? 0),
      bytes: Buffer.from(packet, 'base64').toString('hex'),
      originalBytes,
      pod,
      container,
    };
  });
}

export interface Tcpdump {
  /** Ends it when it has taken what came, and gives its packets. */
  end(): Promise<Packet[]>;
}

/** tcpdump in a network namespace, listening when this resolves. */
export async function tcpdump(
  namespace: string,
  device: string,
  filter: string,
  folder: string,
  snapLength = 262_144,
): Promise<Tcpdump> {
  const path = join(folder, `${made++}.pcap`);
  // Immediately: its rings have frames of the snap length then, of which the usual two megabytes hold eight.
  const options = [
    '-i',
    device,
    '-p',
    '-s',
    String(snapLength),
    '-U',
    '--immediate-mode',
    '-B',
    '16384',
    '-w',
    path,
    '-Z',
    'root',
    '-n',
  ];
  const child = spawn(
    'ip',
    ['netns', 'exec', namespace, 'tcpdump', '--time-stamp-precision=nano', ...options, filter],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await listening(child);
  return {
    async end() {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const ended = once(child, 'close');
      child.kill('SIGINT');
      await ended;
      return packetsOf(readFileSync(path));
    },
  };
}

let made = 0;

async function listening(child: ChildProcess): Promise<void> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    if (said.includes('listening on')) resolve();
  });
  child.on('close', () => reject(new Error(`tcpdump ended: ${said}`)));
  await promise;
}

/** A pcap file of nanoseconds, in this machine's order of bytes. */
export function packetsOf(file: Buffer): Packet[] {
  if (file.readUInt32LE(0) !== 0xa1b23c4d) throw new Error('not a pcap file of nanoseconds');
  const packets: Packet[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    packets.push({
      time: BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4)),
      originalBytes: file.readUInt32LE(at + 12),
      bytes: file.subarray(at + 16, at + 16 + length).toString('hex'),
    });
    at += 16 + length;
  }
  return packets;
}
