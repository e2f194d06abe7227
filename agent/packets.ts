// Packet sockets where a session's targets have their network: one in each namespace, opened as namespaces come, closed as they go; their packets
// go the way of events. Neighbours: agent/networks.ts (where), native's readPackets (how), agent/drain.ts (onto the disk), results/encode/pcapng.ts.

import type { PacketSource } from '../bpf/gadget.ts';
import type { Native, PacketReader } from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import type { AttachedHook } from './attach.ts';
import { asAgentError } from './attach.ts';
import { drain } from './drain.ts';
import { AgentError } from './errors.ts';
import { type Network, networksInScope } from './networks.ts';
import { arch } from './objects.ts';
import { networkOwners, nobodyOn } from './owners.ts';
import type { Parts } from './prepare.ts';
import { openSpool } from './spool.ts';

export interface Packets {
  hook: AttachedHook;
  /** Opens sockets in namespaces that came, closes those in namespaces that went. */
  follow(): Promise<void>;
  /** What the sockets' rings had no room for, by owner's id. */
  dropped(): ReadonlyMap<bigint, bigint>;
  /** Nothing that comes from now on is captured. */
  end(): void;
}

/** Between kernel and agent, for each namespace: a hundredth of a second of 10 Gbit/s. */
const bufferBytes = 8 << 20;
/** Looking at all pods of a node costs some milliseconds. */
const podsEveryMs = 1000;
/** LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2. */
const linkTypes = { ethernet: 1, any: 276 };

/** Before anything is attached. Throws AgentError FilterInvalid with libpcap's words. */
export function checkFilter(native: Native, { filter, device, snapLength }: PacketSource): void {
  try {
    native.checkPacketFilter(filter, device === 'any' ? linkTypes.any : linkTypes.ethernet, snapLength);
  } catch (error) {
    throw captureError(error);
  }
}

/** Captures in every namespace that there is; the session's spool and drain are made here. Throws AgentError where none can be captured in. */
export async function startPackets(parts: Parts, source: PacketSource): Promise<Packets> {
  const { native, request } = parts;
  const owners = networkOwners(request.node);
  parts.owners = owners;
  const spool = openSpool(request.spool);
  parts.spool = spool;
  const warn = (reason: string, message: string): void => {
    parts.warnings.push({ node: request.node, reason, message });
  };
  let reader: PacketReader | undefined;
  const batches: Parameters<typeof drain>[1] = (give) => {
    reader = native.readPackets({
      ...give,
      keepBytes: source.keepBytes,
      onGone: (id, why) =>
        warn(
          'CaptureEnded',
          `packets of ${nameOf(owners.of(id) ?? nobodyOn(request.node))} ended early: ${why}; those until then are here`,
        ),
    });
    return reader;
  };
  parts.drain = drain(native, batches, spool, {
    columns: source.shape.columns,
    more: [{ name: 'packet', column: 'packet', as: 'base64' }],
    owners,
    // Namespaces come while it runs.
    late: { refresh: () => undefined, provisional: () => new Map() },
    redact: request.redact,
    ...(request.budget.events === undefined ? {} : { mostEvents: request.budget.events }),
    arch,
    // libpcap gives the time of the wall clock.
    clockOffset: 0n,
  });

  /** By inode: the id of its rows; undefined: it is not captured, for a reason that was told. */
  const known = new Map<bigint, bigint | undefined>();
  let lastLook = Number.NEGATIVE_INFINITY;

  const open = (network: Network): AgentError | undefined => {
    const { inode, pid, isNode } = network;
    if (isNode && request.pods !== undefined && request.job.namespace !== null) {
      warn(
        'NodeNetwork',
        `${nameOf(network.owner)} has the node's own network (hostNetwork), whose packets are not its alone: only a ClusterTraceJob captures there`,
      );
      known.set(inode, undefined);
      return undefined;
    }
    const owner = isNode && request.pods !== undefined ? nobodyOn(request.node) : network.owner;
    const id = owners.add(owner);
    known.set(inode, undefined);
    try {
      const { filter, device, snapLength } = source;
      const netns = `/proc/${pid}/ns/net`;
      reader?.add({ netns, inode, device, filter, snapLength, bufferBytes, container: id });
    } catch (error) {
      return captureError(error);
    }
    known.set(inode, id);
    if (isNode)
      warn(
        'NodeNetwork',
        `${nameOf(network.owner)} has the node's own network: the packets are those of everything on this node that passed the filter`,
      );
    return undefined;
  };

  const look = async (): Promise<AgentError | undefined> => {
    lastLook = performance.now();
    const now = await networksInScope(request, parts.pods);
    let failure: AgentError | undefined;
    for (const network of now) {
      if (known.has(network.inode)) continue;
      const failed = open(network);
      if (failed !== undefined) warn('CaptureFailed', `${nameOf(network.owner)}: ${failed.message}`);
      failure ??= failed;
    }
    if (request.pods !== undefined) forget(new Set(now.map(({ inode }) => inode)));
    return failure;
  };

  /** A socket keeps its namespace in being: a pod that is gone shall be gone. */
  const forget = (there: ReadonlySet<bigint>): void => {
    for (const [inode, id] of known) {
      if (there.has(inode)) continue;
      known.delete(inode);
      if (id !== undefined) reader?.remove(id);
    }
  };

  const failure = await look();
  if (failure !== undefined && ![...known.values()].some((id) => id !== undefined)) throw failure;

  return {
    hook: { program: 'filter', hook: `packet socket on ${source.device}` },
    async follow() {
      if (performance.now() - lastLook < (request.pods === undefined ? 0 : podsEveryMs)) return;
      await look();
    },
    dropped: () => reader?.dropped() ?? new Map(),
    end: () => void reader?.stop(),
  };
}

function nameOf({ node, namespace, pod, container }: ReturnType<typeof nobodyOn>): string {
  return pod === null ? (container ?? node) : `${namespace}/${pod}`;
}

function captureError(error: unknown): AgentError {
  if (!(error instanceof NativeError)) return asAgentError(error, 'packet-capture');
  const options = { cause: error };
  switch (error.code) {
    case 'InvalidArgument':
      return new AgentError('FilterInvalid', error.message, options);
    case 'NotFound':
      return new AgentError('TargetMissing', error.message, options);
    case 'NotSupported':
      return new AgentError('ObjectMissing', error.message, options);
    case 'PermissionDenied':
      return new AgentError('NotPermitted', error.message, options);
    default:
      return asAgentError(error, 'packet-capture');
  }
}
