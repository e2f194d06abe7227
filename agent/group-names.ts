// Which pod or container a cgroup is, by the name that kubelet, container engines and systemd gave it. Pure; the kernel has the rule for pods too
// (bpf/include/scope_pods.bpf.h). Neighbours: agent/pod-scope.ts (Kubernetes' pods), cli/containers.ts (`--container`).

/** docker-<id>.scope, libpod-<id>.scope, cri-containerd-<id>.scope, crio-<id>.scope; libpod-<id> without systemd. */
const scoped = /^(docker|libpod|cri-containerd|crio|cri-o)-([0-9a-f]{64})(?:\.scope)?$/;
/** With the cgroupfs driver the group is the bare id. */
const bare = /^[0-9a-f]{64}$/;
/** pod<uid> below kubepods/burstable, kubepods-burstable-pod<uid>.slice with systemd; a static pod's is the hash of its manifest. */
const pod = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;

/** The container whose own group has this name; `prefix` as its engine wrote it. */
export function containerOf(name: string): { id: string; prefix?: string } | undefined {
  if (bare.test(name)) return { id: name };
  const [, prefix, id] = scoped.exec(name) ?? [];
  return prefix === undefined || id === undefined ? undefined : { id, prefix };
}

/** What the pod whose own group has this name is called there: its UID, or a static pod's config hash. */
export function podIdOf(name: string): string | undefined {
  return pod.exec(name)?.[1]?.replaceAll('_', '-');
}
