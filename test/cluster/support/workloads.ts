// Pods for scenario tests: on which node, running what. Neighbours: test/workloads (programs with known numbers), cluster.ts (applies them).

import type { TestCluster } from './cluster.ts';

export interface PodWish {
  name: string;
  namespace: string;
  /** argv; a shell line is ['sh', '-c', …]. Programs of test/workloads are /workloads/NAME. */
  command: [string, ...string[]];
  node?: string;
  labels?: Record<string, string>;
  /** Never: it runs once. Always, the default: as in a Deployment. */
  restart?: 'Always' | 'OnFailure' | 'Never';
  port?: number;
}

/** A pod's manifest. */
export function pod(cluster: TestCluster, wish: PodWish): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: wish.name, namespace: wish.namespace, labels: { app: wish.name, ...wish.labels } },
    spec: {
      restartPolicy: wish.restart ?? 'Always',
      // These programs have no handler for SIGTERM, which pid 1 then ignores.
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(wish.node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': wish.node } }),
      containers: [
        {
          name: 'main',
          image: cluster.images.workload,
          imagePullPolicy: 'IfNotPresent',
          command: wish.command,
          ...(wish.port === undefined ? {} : { ports: [{ containerPort: wish.port }] }),
        },
      ],
    },
  };
}

/** Makes pods and waits until they run; gives their addresses, in order. */
export async function runPods(cluster: TestCluster, wishes: PodWish[]): Promise<string[]> {
  await cluster.apply(wishes.map((wish) => pod(cluster, wish)));
  return Promise.all(
    wishes.map(({ name, namespace }) =>
      cluster.waitFor(`pod ${namespace}/${name} runs`, async () => {
        const found = await cluster.get<{
          status: { podIP?: string; containerStatuses?: { started?: boolean; state: object }[] };
        }>('pod', name, namespace);
        const [state] = found?.status.containerStatuses ?? [];
        return state !== undefined && 'running' in state.state ? found?.status.podIP : undefined;
      }),
    ),
  );
}

/** The numbered process of a container on this machine, where nodes of our own run. */
export async function processOf(
  cluster: TestCluster,
  where: { namespace: string; pod: string; container?: string },
): Promise<number> {
  const { nodeNamed } = await import('../layout.ts');
  const { goTool } = await import('../../../build/tools.ts');
  const { run } = await import('./run.ts');
  const found = await cluster.get<{
    spec: { nodeName: string };
    status: { containerStatuses: { name: string; containerID?: string }[] };
  }>('pod', where.pod, where.namespace);
  const containers = found?.status.containerStatuses ?? [];
  const container = where.container ? containers.find(({ name }) => name === where.container) : containers[0];
  const id = container?.containerID?.replace('containerd://', '');
  if (!found || id === undefined) throw new Error(`no container runs in ${where.namespace}/${where.pod}`);
  const { socket } = nodeNamed(found.spec.nodeName);
  const ctr = [await goTool('ctr'), '--address', socket, '--namespace', 'k8s.io'] as const;
  const { stdout } = await run([...ctr, 'tasks', 'list']);
  const line = stdout.split('\n').find((text) => text.startsWith(id));
  const pid = Number(line?.split(/\s+/)[1]);
  if (!(pid > 0)) throw new Error(`containerd knows no process of ${id}:\n${stdout}`);
  return pid;
}
