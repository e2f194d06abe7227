// The network namespaces that a session's targets are in, as /proc and the cgroups have them now. Neighbours: agent/packets.ts (captures in them),
// agent/pod-scope.ts and agent/scope.ts (how pods and processes are found).

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from '../results/shape.ts';
import { AgentError } from './errors.ts';
import type { SessionRequest } from './plan.ts';
import { podGroupsBelow } from './pod-scope.ts';
import type { Pods } from './pods.ts';
import { processesInGroup, processesInScope } from './scope.ts';

export interface Network {
  inode: bigint;
  /** A process in it. */
  pid: number;
  owner: Owner;
  /** It is the node's own: of whatever runs there, not of the owner alone. */
  isNode: boolean;
}

/** Each namespace once, with the first target that is in it. */
export async function networksInScope(
  request: Pick<SessionRequest, 'node' | 'targets' | 'pods'>,
  pods: Pods | undefined,
): Promise<Network[]> {
  const node = await nodeNetwork();
  const found = new Map<bigint, Network>();
  const see = async (pid: number, owner: Owner): Promise<void> => {
    const inode = await inodeOf(pid);
    if (inode !== undefined && !found.has(inode))
      found.set(inode, { inode, pid, owner, isNode: node.has(inode) });
  };
  for (const target of request.targets) {
    const owner = { node: request.node, ...target.owner };
    const pids = await processesInScope([target]);
    // A command that has not begun yet begins where this process is.
    if (pids.length === 0 && target.kind === 'cgroup') pids.push(process.pid);
    for (const pid of pids) await see(pid, owner);
  }
  if (request.pods === undefined || pods === undefined) return [...found.values()];
  for (const { path, podId } of await podGroupsBelow(request.pods.mountPoint)) {
    const number = pods.numberOf(podId);
    const pid = number === undefined ? undefined : await firstProcess(path);
    if (number !== undefined && pid !== undefined) await see(pid, pods.ownerOf(number));
  }
  return [...found.values()];
}

/** Of a pod's groups the one that was made first is its sandbox's, which is in the pod's network. Any other process of the pod may have gone elsewhere,
 *  into a namespace that is not the pod's. */
async function firstProcess(podGroup: string): Promise<number | undefined> {
  const entries = await readdir(podGroup, { withFileTypes: true }).catch(() => []);
  const groups: { path: string; id: bigint }[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const path = join(podGroup, entry.name);
    const id = await stat(path, { bigint: true }).then(
      ({ ino }) => ino,
      () => undefined,
    );
    if (id !== undefined) groups.push({ path, id });
  }
  groups.sort((a, b) => (a.id < b.id ? -1 : 1));
  const [first] = groups;
  return first === undefined ? undefined : (await processesInGroup(first.path))[0];
}

/** Where process 1 and the kernel's own threads are. Throws AgentError where that can't be told: a pod with the node's network would pass for one with
 *  its own. */
async function nodeNetwork(): Promise<ReadonlySet<bigint>> {
  const found = (await Promise.all([1, 2].map(inodeOf))).filter((inode) => inode !== undefined);
  if (found.length > 0) return new Set(found);
  throw new AgentError(
    'NotPermitted',
    "can't tell the node's own network from others: /proc/1/ns/net is not to be read; it takes CAP_SYS_PTRACE and the node's process ids (hostPID)",
  );
}

async function inodeOf(pid: number): Promise<bigint | undefined> {
  return await stat(`/proc/${pid}/ns/net`, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
