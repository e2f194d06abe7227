// Ethernet frames as bytes, for test/support/network.ts. Checksums are left 0: nothing that captures looks at them.

const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');

export const macs = { near: '02:00:00:00:00:01', far: '02:00:00:00:00:02', all: 'ff:ff:ff:ff:ff:ff' };

const word = (value: number): Buffer => Buffer.of(value >> 8, value & 255);

export function ethernet(type: number, payload: Buffer, to: string = macs.near): Buffer {
  return Buffer.concat([mac(to), mac(macs.far), word(type), payload]);
}

/** With an 802.1Q tag. */
export function tagged(vlan: number, type: number, payload: Buffer): Buffer {
  return ethernet(0x8100, Buffer.concat([word(vlan), word(type), payload]));
}

const address = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

export interface IpOptions {
  from?: string;
  to?: string;
  ttl?: number;
  /** In bytes; 0: whole, or the first. */
  fragmentAt?: number;
  moreFragments?: boolean;
}

export function ipv4(protocol: number, payload: Buffer, options: IpOptions = {}): Buffer {
  const { from = '10.9.0.2', to = '10.9.0.1', ttl = 64, fragmentAt = 0, moreFragments = false } = options;
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payload.length, 2);
  head.writeUInt16BE((moreFragments ? 0x2000 : 0) | (fragmentAt / 8), 6);
  head[8] = ttl;
  head[9] = protocol;
  address(from).copy(head, 12);
  address(to).copy(head, 16);
  return Buffer.concat([head, payload]);
}

/** `from` and `to`: 16 bytes in hexadecimal. */
export function ipv6(next: number, payload: Buffer, from: string, to: string): Buffer {
  const head = Buffer.alloc(40);
  head[0] = 0x60;
  head.writeUInt16BE(payload.length, 4);
  head[6] = next;
  head[7] = 64;
  Buffer.from(from, 'hex').copy(head, 8);
  Buffer.from(to, 'hex').copy(head, 24);
  return Buffer.concat([head, payload]);
}

export const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 };

export function tcp(from: number, to: number, flags: number, text = ''): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(from, 0);
  head.writeUInt16BE(to, 2);
  head[12] = 0x50;
  head[13] = flags;
  return Buffer.concat([head, Buffer.from(text)]);
}

export function udp(from: number, to: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([word(from), word(to), word(8 + bytes.length), word(0), bytes]);
}

export function icmp(type: number, text = ''): Buffer {
  return Buffer.concat([Buffer.of(type, 0, 0, 0, 0, 1, 0, 1), Buffer.from(text)]);
}

/** operation: 1 asks, 2 answers. */
export function arp(operation: number): Buffer {
  return Buffer.concat([
    ...[word(1), word(0x0800), Buffer.of(6, 4), word(operation)],
    ...[mac(macs.far), address('10.9.0.2'), mac('00:00:00:00:00:00'), address('10.9.0.1')],
  ]);
}
