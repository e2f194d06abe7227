// What goes wrong with a cluster, on purpose: programs ended and started, nodes that vanish, connections that are dropped. Only on a cluster of our own
// (TestCluster.own). Neighbours: ../processes.ts, ../node.ts.

import { readFileSync } from 'node:fs';
import { nodeNamed } from '../layout.ts';
import { inside } from '../node.ts';
import { kill, startAgain } from '../processes.ts';
import type { TestCluster } from './cluster.ts';
import { run } from './run.ts';
import { processOf } from './workloads.ts';

export type ControlProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 's3';

/** Ends a program at once, as a crash does; nothing starts it again but `revive`. */
export async function crash(
  name: ControlProgram | `${string}-kubelet` | `${string}-containerd`,
): Promise<void> {
  await kill(name);
}

/** Starts it as it was. */
export async function revive(name: Parameters<typeof crash>[0]): Promise<void> {
  await startAgain(name);
}

/** Ends a pod's program as a crash does, without a word of farewell, and takes the pod away before it is started again. */
export async function killPod(
  cluster: TestCluster,
  where: { namespace: string; pod: string },
): Promise<void> {
  const pid = cluster.own ? await processOf(cluster, where) : undefined;
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await cluster.kubectl(['delete', 'pod', where.pod, '-n', where.namespace, '--force', '--grace-period=0']);
}

/** Unplugs a node: its programs and pods run on, and nobody reaches them. */
export async function vanish(node: string): Promise<void> {
  await ip(['link', 'set', nodeNamed(node).cable, 'down']);
}

/** Plugs it in again. */
export async function comeBack(node: string): Promise<void> {
  const { cable, network, address } = nodeNamed(node);
  await ip(['link', 'set', cable, 'up']);
  await ip(['route', 'replace', network, 'via', address]);
}

async function ip(args: string[]): Promise<void> {
  const { code, stderr } = await run(['ip', ...args]);
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** What a pod sends to a server is lost, as where a NetworkPolicy is enforced; gives what ends that. */
export async function blockTraffic(
  cluster: TestCluster,
  where: { namespace: string; pod: string },
  server: string,
): Promise<() => Promise<void>> {
  const { hostname, port } = new URL(server);
  const pid = await processOf(cluster, where);
  const change = async (what: '-I' | '-D') => {
    const rule = ['OUTPUT', '-d', hostname, '-p', 'tcp', '--dport', port, '-j', 'DROP'];
    const argv = ['nsenter', '--target', String(pid), '--net', '--', 'iptables', what, ...rule];
    const { code, stderr } = await run(argv as [string, ...string[]]);
    if (code !== 0) throw new Error(`iptables ${what}: ${stderr}`);
  };
  await change('-I');
  return () => change('-D');
}

/** Puts something else where a pod's program has a folder or a file, until it is taken away again. `mount`: arguments of mount before the place; paths are
 *  the pod's own. */
export async function mountOver(
  cluster: TestCluster,
  where: { namespace: string; pod: string },
  mount: string[],
  place: string,
): Promise<() => Promise<void>> {
  const pid = await processOf(cluster, where);
  // mount's own way in: the pod's image has no such program.
  const inside = ['--namespace', `/proc/${pid}/ns/mnt`];
  const there = () =>
    readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .filter((line) => line.split(' ')[4] === place).length;
  const before = there();
  const { code, stderr } = await run(['mount', ...inside, ...mount, place]);
  if (code !== 0) throw new Error(`mount ${mount.join(' ')} ${place}: ${stderr}`);
  return async () => {
    // Not --lazy: that looks for the place in this mount namespace.
    const outcome = await run(['umount', ...inside, place]);
    if (there() !== before) throw new Error(`umount ${place}: ${outcome.stderr}`);
  };
}

/** Drops every TCP connection to a port of a pod: both ends get a reset. Gives how many there were. */
export async function dropConnections(
  cluster: TestCluster,
  where: { namespace: string; pod: string },
  port: number,
): Promise<number> {
  const pid = await processOf(cluster, where);
  const enter = ['nsenter', '--target', String(pid), '--net', '--'] as const;
  const { code, stdout, stderr } = await run([
    ...enter,
    ...['ss', '--no-header', '--kill', '--tcp', 'state', 'established', 'sport', '=', `:${port}`],
  ]);
  if (code !== 0) throw new Error(`ss: ${stderr}`);
  return stdout.split('\n').filter(Boolean).length;
}

/** Runs shell commands in a node's network and mount namespaces, as root. */
export function onNode(node: string, script: string): Promise<string> {
  return inside(nodeNamed(node), [script]);
}
