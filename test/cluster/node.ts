// One node: its namespaces, network, containerd, kubelet and kube-proxy. Neighbours: layout.ts (where its things lie), processes.ts (starts what is said here),
// images.ts (what its containerd holds).

import { mkdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { stringify } from 'yaml';
import { command } from '../../build/step.ts';
import { goTool } from '../../build/tools.ts';
import { authority, certificate, kubeconfigOf } from './certificates.ts';
import { flags } from './control-plane.ts';
import { kubernetesProgram } from './kubernetes.ts';
import { address, bridge, type NodePlace, podNetworks } from './layout.ts';
import { entering, type Program, start } from './processes.ts';

/** Kernel settings that a kubelet insists on, and would change for the whole machine; it is shown files that say what it wants to read. */
const tunables = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

/** Makes the node's namespaces, held by a process of its name that does nothing, and what is mounted and connected in them. */
export async function makeNode(node: NodePlace): Promise<void> {
  const holder = await start({ name: node.name, argv: ['unshare', '--mount', '--net', 'sleep', 'infinity'] });
  const outside = await readlink('/proc/self/ns/mnt');
  while ((await readlink(`/proc/${holder}/ns/mnt`)) === outside) await setTimeout(10);
  const mounts: string[] = [];
  for (const { path, folder } of node.own) {
    await mkdir(folder, { recursive: true });
    mounts.push(`mount --bind ${folder} ${path}`);
  }
  for (const [name, value] of Object.entries(tunables)) {
    const file = join(node.folder, 'tunables', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${value}\n`);
    mounts.push(`mount --bind ${file} /proc/sys/${name}`);
  }
  await command(['ip', 'link', 'add', node.cable, 'type', 'veth', 'peer', 'eth0', 'netns', String(holder)]);
  await command(['ip', 'link', 'set', node.cable, 'master', bridge, 'up']);
  await command(['ip', 'route', 'replace', node.network, 'via', node.address]);
  // Shared, so that what a kubelet mounts later reaches pods that ask for it.
  await inside(node, ['mount --make-rshared /', ...mounts]);
  await inside(node, [
    'ip link set lo up',
    `ip address add ${node.address}/24 dev eth0`,
    'ip link set eth0 up',
    `ip route add default via ${address}`,
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    // Else a Service's answer from a pod on the same bridge would keep the pod's address.
    'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables',
  ]);
}

/** A way to the pods of another node. */
export async function connect(node: NodePlace, other: NodePlace): Promise<void> {
  await inside(node, [`ip route replace ${other.network} via ${other.address}`]);
}

/** Runs shell commands in a node's namespaces. */
export async function inside(node: NodePlace, lines: string[]): Promise<string> {
  const [program = '', ...rest] = await entering(node.name);
  return command([program, ...rest, 'sh', '-ec', lines.join('\n')]);
}

/** Writes its configuration; gives containerd's program. */
export async function containerd(node: NodePlace, sandboxImage: string): Promise<Program> {
  const networks = join(node.folder, 'cni');
  const network = {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: node.network, gateway: node.gateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const config = join(node.folder, 'containerd.toml');
  await mkdir(networks, { recursive: true });
  await writeFile(join(networks, 'pods.conflist'), JSON.stringify(network, null, 2));
  await writeFile(
    config,
    `version = 3
[grpc]
address = '/run/containerd/containerd.sock'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${sandboxImage}'
[plugins.'io.containerd.cri.v1.runtime']
# A container's score may not go below this process's own without CAP_SYS_RESOURCE.
restrict_oom_score_adj = true
# Network namespaces are mounted in the node's own mount namespace, and go with it.
netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${networks}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '/usr/sbin/runc'
SystemdCgroup = false
`,
  );
  const shim = dirname(await goTool('containerd-shim-runc-v2'));
  return {
    name: `${node.name}-containerd`,
    inside: node.name,
    argv: [await goTool('containerd'), '--config', config],
    env: { PATH: `${shim}:${process.env.PATH}` },
  };
}

export async function kubelet(node: NodePlace): Promise<Program> {
  const own = certificate(node.name);
  const manifests = join(node.folder, 'manifests');
  await mkdir(manifests, { recursive: true });
  const config = await writeConfig(node, 'kubelet', {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: authority } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: own.certificate,
    tlsPrivateKeyFile: own.key,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.cgroup}`,
    failCgroupV1: false,
    localStorageCapacityIsolation: false,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    volumePluginDir: '/var/lib/kubelet/plugins',
    staticPodPath: manifests,
    resolvConf: '',
    failSwapOn: false,
    oomScoreAdj: 0,
    serializeImagePulls: false,
    // Notices within node-monitor-grace-period need reports that are more frequent than usual.
    nodeLeaseDurationSeconds: 10,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
  });
  const values = {
    config,
    kubeconfig: kubeconfigOf(node.name),
    'hostname-override': node.name,
    'node-ip': node.address,
  };
  return {
    name: `${node.name}-kubelet`,
    inside: node.name,
    argv: [await kubernetesProgram(), 'kubelet', ...flags(values)],
  };
}

export async function kubeProxy(node: NodePlace): Promise<Program> {
  const config = await writeConfig(node, 'kube-proxy', {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigOf('proxy') },
    hostnameOverride: node.name,
    clusterCIDR: podNetworks,
    // Settings of the whole machine, which are not this cluster's to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  });
  return {
    name: `${node.name}-kube-proxy`,
    inside: node.name,
    argv: [await kubernetesProgram(), 'kube-proxy', ...flags({ config })],
  };
}

async function writeConfig(node: NodePlace, name: string, config: object): Promise<string> {
  const path = join(node.folder, `${name}.yaml`);
  await writeFile(path, stringify(config));
  return path;
}
