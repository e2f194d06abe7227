// The two ends of a connection, in gadgets about TCP. Their programs include bpf/include/tcp.bpf.h.

import { z } from 'zod';
import type { From } from './gadget.ts';

/** As many as the programs' PORTS. */
const mostPorts = 16;
const ports = z.array(z.int().min(1).max(65_535)).max(mostPorts).default([]);

export const portParameters = {
  localPorts: ports.describe(
    `Only connections with one of these local ports, at most ${mostPorts}. Empty: all`,
  ),
  remotePorts: ports.describe(
    `Only connections with one of these remote ports, at most ${mostPorts}. Empty: all`,
  ),
};

/** The values of the variables that bpf/include/tcp.bpf.h declares. */
export function portVariables(parameters: { localPorts: number[]; remotePorts: number[] }) {
  const { localPorts, remotePorts } = parameters;
  return {
    local_ports: padded(localPorts),
    local_port_count: localPorts.length,
    remote_ports: padded(remotePorts),
    remote_port_count: remotePorts.length,
  };
}

/** The program's u16[PORTS]. */
function padded(list: number[]): bigint[] {
  return Array.from({ length: mostPorts }, (_, index) => BigInt(list[index] ?? 0));
}

/** The columns of `struct endpoints`, for records and keys with a member `ends`. */
export const endpointColumns = [
  {
    name: 'localAddress',
    member: 'ends.local_address',
    type: 'ipAddress',
    description: 'The address on this side',
  },
  { name: 'localPort', member: 'ends.local_port', type: 'integer', description: 'The port on this side' },
  {
    name: 'remoteAddress',
    member: 'ends.remote_address',
    type: 'ipAddress',
    description: "The peer's address",
  },
  { name: 'remotePort', member: 'ends.remote_port', type: 'integer', description: "The peer's port" },
] as const satisfies readonly From[];

/** enum tcp_state */
export const tcpStates: Record<number, string> = {
  1: 'ESTABLISHED',
  2: 'SYN_SENT',
  3: 'SYN_RECV',
  4: 'FIN_WAIT1',
  5: 'FIN_WAIT2',
  6: 'TIME_WAIT',
  7: 'CLOSE',
  8: 'CLOSE_WAIT',
  9: 'LAST_ACK',
  10: 'LISTEN',
  11: 'CLOSING',
  12: 'NEW_SYN_RECV',
};
