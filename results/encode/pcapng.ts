// capture.pcapng: a run of packets as Wireshark, tshark and tcpdump read it (draft-ietf-opsawg-pcapng). An interface for each pod, its name as the
// interface's. Neighbours: agent/packets.ts (the lines), results/encode/files.ts, agent/run-files.ts (a node's own file of very many).

import { ownerName } from '../columns.ts';
import { type LineWriter, readLines } from '../lines.ts';
import { packetBytes, packetHead } from '../run.ts';
import type { Owner, ResultMeta } from '../shape.ts';
import { parseTime } from '../units.ts';

const blocks = { section: 0x0a0d0d0a, interface: 1, statistics: 5, packet: 6 };
const option = {
  userApplication: 4,
  name: 2,
  description: 3,
  resolution: 9,
  filter: 11,
  dropped: 5,
};

/** As agent/packets.ts writes it. */
interface Line extends Partial<Omit<Owner, 'node'>> {
  time: string;
  node: string;
  device: string;
  linkType: number;
  originalBytes: number;
}

/** Writes the packets of a run's lines, in their order. */
export async function writePcapng(
  meta: Pick<ResultMeta, 'trace' | 'events' | 'completionTime'>,
  rows: string,
  writer: LineWriter,
): Promise<void> {
  const { filter, snapLength } = meta.trace.parameters;
  const snap = typeof snapLength === 'number' ? snapLength : 0;
  await writer.write(sectionBlock());
  const interfaces = new Map<string, { at: number; owner: Owner }>();
  for await (const lines of readLines(rows))
    for (const text of lines) {
      const line: Line = JSON.parse(packetHead(text));
      const { node, namespace = null, pod = null, container = null, device, linkType } = line;
      const key = JSON.stringify([node, namespace, pod, container, device, linkType]);
      let place = interfaces.get(key);
      if (place === undefined) {
        const owner = { node, namespace, pod, container };
        place = { at: interfaces.size, owner };
        interfaces.set(key, place);
        const options = [
          textOption(option.name, ownerName(owner)),
          textOption(option.description, `${device} on ${node}`),
          // Nanoseconds.
          optionOf(option.resolution, Buffer.of(9)),
          ...(typeof filter === 'string' && filter !== ''
            ? [optionOf(option.filter, Buffer.concat([Buffer.of(0), Buffer.from(filter)]))]
            : []),
        ];
        await writer.write(interfaceBlock(linkType, snap, options));
      }
      const flushed = writer.write(packetBlock(place.at, line, packetBytes(text)));
      if (flushed) await flushed;
    }
  for (const { at, owner } of interfaces.values()) {
    const dropped = meta.events.losses
      .filter((loss) => ownerName(loss.owner) === ownerName(owner) && loss.owner.node === owner.node)
      .reduce((sum, { count }) => sum + count, 0n);
    await writer.write(statisticsBlock(at, meta.completionTime, dropped));
  }
}

function sectionBlock(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  // Version 1.0; the section's length is not known beforehand.
  body.writeBigInt64LE(-1n, 8);
  return block(blocks.section, body, [textOption(option.userApplication, 'Sonde')]);
}

function interfaceBlock(linkType: number, snapLength: number, options: Buffer[]): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(linkType, 0);
  body.writeUInt32LE(snapLength, 4);
  return block(blocks.interface, body, options);
}

function packetBlock(at: number, line: Line, bytes: Buffer): Buffer {
  const body = Buffer.alloc(20 + padded(bytes.length));
  body.writeUInt32LE(at, 0);
  writeTime(body, 4, parseTime(line.time) ?? 0n);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(line.originalBytes, 16);
  bytes.copy(body, 20);
  return block(blocks.packet, body, []);
}

function statisticsBlock(at: number, time: bigint, dropped: bigint): Buffer {
  const body = Buffer.alloc(12);
  body.writeUInt32LE(at, 0);
  writeTime(body, 4, time);
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(dropped);
  return block(blocks.statistics, body, [optionOf(option.dropped, count)]);
}

/** In two halves, the higher first. */
function writeTime(body: Buffer, at: number, time: bigint): void {
  body.writeUInt32LE(Number(time >> 32n), at);
  body.writeUInt32LE(Number(time & 0xffffffffn), at + 4);
}

function block(type: number, body: Buffer, options: Buffer[]): Buffer {
  const end = options.length === 0 ? [] : [Buffer.alloc(4)];
  const parts = [body, ...options, ...end];
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...parts, head.subarray(4)]);
}

function textOption(code: number, text: string): Buffer {
  return optionOf(code, Buffer.from(text));
}

function optionOf(code: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt16LE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
