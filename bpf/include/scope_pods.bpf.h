/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Pods, from their first group on: scope.bpf.h, whose scope_cgroup_mkdir calls scope_pod_mkdir() of here, is
 * what programs include. agent/pod-scope.ts fills and reads the maps. */
#pragma once

#include "kernel_compat.bpf.h"

/* By what their cgroup is named after, before it is there. All three have room for one entry where no
 * pod is traced; the agent gives them more. */
struct scope_pod_name {
    char id[40]; /* the pod's UID with -, or a static pod's hash; then zeros */
};

/* → the agent's number of the pod. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct scope_pod_name);
    __type(value, u64);
} scope_pods SEC(".maps");

/* cgroup2 id of a pod's own group → the pod's number. The groups made in it are its containers. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, u64);
} scope_pod_groups SEC(".maps");

#define SCOPE_NAME_LIMIT 256 /* NAME_MAX with its NUL */

struct scope_container {
    u64 pod;
    char name[SCOPE_NAME_LIMIT]; /* its group's, which holds the container's id */
};

/* cgroup2 id → a container that came into scope by itself. The agent takes the entries out all the while. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, struct scope_container);
} scope_new_containers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct scope_container);
} scope_container_scratch SEC(".maps");

/* The scope id of a pod's container is its group's id with this bit, so that nobody has to give numbers out.
 */
#define SCOPE_OF_GROUP (1ull << 62)

/** Whether a group's name ends in "pod" and so many characters; gives them. length: of the name without what
 * comes behind them. */
static __always_inline bool pod_name_of(struct scope_pod_name *pod, const char *name, long length,
                                        const u32 size) {
    char before[3];
    if (length < size + sizeof(before)) return false;
    const char *id = name + length - size;
    if (bpf_probe_read_kernel(before, sizeof(before), id - sizeof(before))) return false;
    if (before[0] != 'p' || before[1] != 'o' || before[2] != 'd') return false;
    if (bpf_probe_read_kernel(pod->id, size, id)) return false;
    for (u32 i = 0; i < size; i++)
        if (pod->id[i] == '_') pod->id[i] = '-'; /* systemd's spelling: - parts a slice from its parent */
    return true;
}

/** The number of the pod whose own group has this name (podIdOf in agent/group-names.ts), or NULL. */
static __always_inline u64 *pod_by_group_name(struct scope_container *scratch, const char *name) {
    struct scope_pod_name pod = {};
    char end[2];
    long length = bpf_probe_read_kernel_str(scratch->name, sizeof(scratch->name), name) - 1;
    if (length < 35) return NULL;
    if (bpf_probe_read_kernel(end, sizeof(end), name + length - 6)) return NULL;
    if (end[0] == '.' && end[1] == 's') length -= 6; /* .slice */
    if (!pod_name_of(&pod, name, length, 36) && !pod_name_of(&pod, name, length, 32)) return NULL;
    return bpf_map_lookup_elem(&scope_pods, &pod);
}

/** A new group outside the scope. The scope id that it has as a pod's container, else 0; a pod's own group is
 * noted. Processes live in containers' groups only. full: there was no room for it. */
static __always_inline u64 scope_pod_mkdir(struct cgroup *child, bool *full) {
    u32 zero = 0;
    u64 id = BPF_CORE_READ(child, kn, id);
    u64 parent = BPF_CORE_READ(child, self.parent, cgroup, kn, id);
    const char *name = BPF_CORE_READ(child, kn, name);
    struct scope_container *scratch = bpf_map_lookup_elem(&scope_container_scratch, &zero);
    if (!scratch) return 0;
    u64 *pod = bpf_map_lookup_elem(&scope_pod_groups, &parent);
    if (!pod) {
        pod = pod_by_group_name(scratch, name);
        if (pod) *full = bpf_map_update_elem(&scope_pod_groups, &id, pod, BPF_ANY);
        return 0;
    }
    scratch->pod = *pod;
    bpf_probe_read_kernel_str(scratch->name, sizeof(scratch->name), name);
    *full = bpf_map_update_elem(&scope_new_containers, &id, scratch, BPF_ANY);
    return *full ? 0 : id | SCOPE_OF_GROUP;
}
