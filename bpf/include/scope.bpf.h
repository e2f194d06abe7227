/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The pods and nobody else: the first step of every probe. One test per subject; each gives the scope id that
 * the rows carry, 0 outside.
 *
 *     u64 container = scope_current();
 *     if (!container) return 0;
 *
 * The agent fills the maps (agent/scope.ts); the programs at the end keep them right from a child's first
 * instruction on. Everything that a session doesn't use is a constant at load, and costs nothing. */
#pragma once

#include "scope_pods.bpf.h"

/* Knobs: which kinds of scope are in use. */
const volatile bool scope_by_cgroup = false;
const volatile bool scope_by_process = false;
const volatile bool scope_by_netns = false;
const volatile bool scope_by_pod = false; /* beside scope_by_cgroup */

#define SCOPE_FILTER_SLOTS 4096

/* cgroup2 id → scope id: the group's own id, or that of the container in which it is nested. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __type(key, u64);
    __type(value, u64);
} scope SEC(".maps");

/* Nobody's filter: a slot (id modulo SCOPE_FILTER_SLOTS) that holds 0 says that no such id is in the map
 * beside it. For a neighbour that replaces a lookup that fails in the hash (21 ns, measured on 6.18) by one
 * in an array, which the JIT inlines (under 1 ns). Who adds to `scope` or `scope_processes` marks the slot
 * behind it. Slots are never cleared: a stale mark only costs the lookup.
 *
 * A group's slot also answers for the group that was entered last among those that share it; the others are
 * looked up. Its words are written without a lock: `check` says that they are of one writing, and of which
 * id. Who takes a group out of `scope` overwrites the slot with one that answers for nobody. */
struct scope_slot {
    u64 container; /* 0: no group */
    u64 check;
};

#define SCOPE_CHECK(id, container) ((id) ^ (container) * 0x9e3779b97f4a7c15ull)
#define SCOPE_NO_GROUP (~0ull) /* an id that no group has */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SCOPE_FILTER_SLOTS);
    __type(key, u32);
    __type(value, struct scope_slot);
} scope_filter SEC(".maps");

/* Process (tgid in the host's namespace) → scope id. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, u64);
} scope_processes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SCOPE_FILTER_SLOTS);
    __type(key, u32);
    __type(value, u8);
} scope_process_filter SEC(".maps");

/* Network namespace (its inode number) → scope id. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, u64);
} scope_netns_ids SEC(".maps");

/* Sockets of process trees: socket → scope id. A socket knows its cgroup but not its process, so the gadget
 * says whose it is while the process runs (scope_sock_adopt). */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, u64);
    __type(value, u64);
} scope_sockets SEC(".maps");

/* Per CPU; the agent adds them up. hits × a hook's calibrated cost is what the job took from the node. */
struct scope_hits {
    u64 hits;
    u64 scoped;
    u64 skipped;    /* in scope, not recorded: sampled out or stopped */
    u64 unfollowed; /* children of the scope for which its maps had no room: not seen */
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct scope_hits);
} hits SEC(".maps");

/* Set by the agent while the job runs (mapped memory, no system call). */
volatile u32 job_stopped = 0;      /* record nothing more */
volatile u32 job_sample_every = 1; /* record one in so many; 0 and 1: all */
volatile u32 job_containers = 1;   /* scope ids in use; the ring is shared among them */

static __always_inline struct scope_hits *scope_hits_here(void) {
    u32 zero = 0;
    return bpf_map_lookup_elem(&hits, &zero);
}

/** Counts one run of a program. The scope tests call it; a program that returns before its test calls it
 * itself. */
static __always_inline void count_hit(void) {
    struct scope_hits *here = scope_hits_here();
    if (here) here->hits++;
}

/** The scope id of a cgroup2 id, 0 outside. Counts nothing. */
static __always_inline u64 scope_cgroup(u64 id) {
    u32 slot = id & (SCOPE_FILTER_SLOTS - 1);
    struct scope_slot *marked = bpf_map_lookup_elem(&scope_filter, &slot);
    if (!marked) return 0;
    u64 container = *(volatile u64 *)&marked->container;
    if (!container) return 0;
    if (marked->check == SCOPE_CHECK(id, container)) return container;
    u64 *found = bpf_map_lookup_elem(&scope, &id);
    return found ? *found : 0;
}

/** The scope id of a process by its tgid in the host's namespace, 0 outside. Counts nothing. */
static __always_inline u64 scope_process(u32 tgid) {
    u32 slot = tgid & (SCOPE_FILTER_SLOTS - 1);
    u8 *marked = bpf_map_lookup_elem(&scope_process_filter, &slot);
    if (!marked || !*marked) return 0;
    u64 *found = bpf_map_lookup_elem(&scope_processes, &tgid);
    return found ? *found : 0;
}

/** Counts one run that was in scope. The scope tests call it. */
static __always_inline void count_scoped(void) {
    struct scope_hits *here = scope_hits_here();
    if (here) here->scoped++;
}

static __always_inline u64 scope_counted(u64 container) {
    if (container) count_scoped();
    return container;
}

/** Subject `current`, without counting: for programs that call count_hit() and count_scoped() themselves. */
static __always_inline u64 scope_current_uncounted(void) {
    u64 container = 0;
    if (scope_by_cgroup) container = scope_cgroup(bpf_get_current_cgroup_id());
    if (scope_by_process && !container) container = scope_process(bpf_get_current_pid_tgid() >> 32);
    return container;
}

/** Subject `current`: the task that runs. */
static __always_inline u64 scope_current(void) {
    count_hit();
    return scope_counted(scope_current_uncounted());
}

/** False: the current task is outside for certain. True: ask again, or know it by other means (an entry that
 * is waiting for its exit). */
static __always_inline bool scope_current_likely(void) {
    if (scope_by_cgroup) {
        u32 slot = bpf_get_current_cgroup_id() & (SCOPE_FILTER_SLOTS - 1);
        struct scope_slot *marked = bpf_map_lookup_elem(&scope_filter, &slot);
        if (marked && marked->container) return true;
    }
    if (scope_by_process) {
        u32 slot = bpf_get_current_pid_tgid() >> 32 & (SCOPE_FILTER_SLOTS - 1);
        u8 *marked = bpf_map_lookup_elem(&scope_process_filter, &slot);
        if (marked && *marked) return true;
    }
    return false;
}

/** Subject `task`, without counting; for programs that test two tasks (sched_switch) after count_hit(). The
 * pointer is a BTF pointer: an argument of tp_btf or fentry, or a member of one. */
static __always_inline u64 scope_of_task(struct task_struct *task) {
    u64 container = 0;
    if (scope_by_cgroup) container = scope_cgroup(task->cgroups->dfl_cgrp->kn->id);
    if (scope_by_process && !container) container = scope_process(task->tgid);
    return container;
}

/** Subject `task`: the task concerned (sched_*), not the one that runs. */
static __always_inline u64 scope_task(struct task_struct *task) {
    count_hit();
    return scope_counted(scope_of_task(task));
}

/** The same for a pointer that the verifier doesn't know: raw_tp, kprobe, or read from memory. */
static __always_inline u64 scope_task_at(struct task_struct *task) {
    u64 container = 0;
    count_hit();
    if (scope_by_cgroup) container = scope_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id));
    if (scope_by_process && !container) container = scope_process(BPF_CORE_READ(task, tgid));
    return scope_counted(container);
}

/** Subject `sock`: the socket's own cgroup, whoever runs (an accepted socket has its listener's). */
static __always_inline u64 scope_sock(struct sock *sk) {
    u64 container = 0;
    count_hit();
    if (scope_by_cgroup) container = scope_cgroup(sock_cgroup_id(sk));
    if (scope_by_process && !container) {
        u64 key = (u64)sk;
        u64 *found = bpf_map_lookup_elem(&scope_sockets, &key);
        if (found) container = *found;
    }
    return scope_counted(container);
}

/** Says that this socket is the current process's; call it where a process certainly runs its own call
 * (connect, accept, listen). Needed for process trees only: gives their scope id, or 0. */
static __always_inline u64 scope_sock_adopt(struct sock *sk) {
    if (!scope_by_process) return 0;
    u64 container = scope_process(bpf_get_current_pid_tgid() >> 32);
    u64 key = (u64)sk;
    if (container) bpf_map_update_elem(&scope_sockets, &key, &container, BPF_ANY);
    return container;
}

/** A child socket is its listener's, as with cgroups. */
static __always_inline void scope_sock_inherit(struct sock *child, struct sock *listener) {
    if (!scope_by_process) return;
    u64 key = (u64)listener;
    u64 *found = bpf_map_lookup_elem(&scope_sockets, &key);
    if (!found) return;
    u64 container = *found;
    key = (u64)child;
    bpf_map_update_elem(&scope_sockets, &key, &container, BPF_ANY);
}

/** The socket is gone; its address may come again. */
static __always_inline void scope_sock_forget(struct sock *sk) {
    if (!scope_by_process) return;
    u64 key = (u64)sk;
    bpf_map_delete_elem(&scope_sockets, &key);
}

/** Subject `netns`: a network namespace by its inode number. */
static __always_inline u64 scope_netns(u32 inode) {
    u64 container = 0;
    count_hit();
    if (scope_by_netns) {
        u64 *found = bpf_map_lookup_elem(&scope_netns_ids, &inode);
        if (found) container = *found;
    }
    return scope_counted(container);
}

/** Subject `bio`: who is charged for the I/O where blkio is a cgroup2 controller; elsewhere (hybrid
 * hierarchies) the task that submits. */
static __always_inline u64 scope_bio(struct bio *bio) {
    u64 container = 0;
    count_hit();
    if (scope_by_cgroup) {
        struct cgroup *group = BPF_CORE_READ(bio, bi_blkg, blkcg, css.cgroup);
        if (group && BPF_CORE_READ(group, root, hierarchy_id) == 0)
            container = scope_cgroup(BPF_CORE_READ(group, kn, id));
        else
            container = scope_cgroup(bpf_get_current_cgroup_id());
    }
    if (scope_by_process && !container) container = scope_process(bpf_get_current_pid_tgid() >> 32);
    return scope_counted(container);
}

/* Kept right in the kernel. The agent loads these with every gadget: the first two when a cgroup is in scope,
 * the others when a process is. */

static const u8 scope_mark = 1;

static __always_inline void count_unfollowed(void) {
    struct scope_hits *here = scope_hits_here();
    if (here) here->unfollowed++;
}

/** Makes the slot on which an id falls answer for a group. */
static __always_inline void scope_answer(u64 id, u64 group, u64 container) {
    u32 slot = id & (SCOPE_FILTER_SLOTS - 1);
    struct scope_slot answer = {.container = container, .check = SCOPE_CHECK(group, container)};
    bpf_map_update_elem(&scope_filter, &slot, &answer, BPF_ANY);
}

/* By BPF_CORE_READ, though the pointer is known: for each pointer read from such a one, the verifier of 6.18
 * looks through all of the kernel's types by name up to four times. With open-files' four programs that was
 * 26 % of a session's CPU time (perf). These run seldom. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(scope_cgroup_mkdir, struct cgroup *child) {
    /* v1 hierarchies number their groups by themselves: the same id there is another group. */
    if (BPF_CORE_READ(child, root, hierarchy_id) != 0) return 0;
    u64 container = scope_cgroup(BPF_CORE_READ(child, self.parent, cgroup, kn, id));
    if (scope_by_pod && !container) {
        bool full = false;
        container = scope_pod_mkdir(child, &full);
        if (full) count_unfollowed();
    }
    if (!container) return 0;
    u64 id = BPF_CORE_READ(child, kn, id);
    if (bpf_map_update_elem(&scope, &id, &container, BPF_ANY))
        count_unfollowed();
    else
        scope_answer(id, id, container);
    return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(scope_cgroup_rmdir, struct cgroup *group) {
    if (BPF_CORE_READ(group, root, hierarchy_id) != 0) return 0;
    u64 id = BPF_CORE_READ(group, kn, id);
    if (scope_cgroup(id)) {
        scope_answer(id, SCOPE_NO_GROUP, 1);
        bpf_map_delete_elem(&scope, &id);
    }
    if (scope_by_pod) bpf_map_delete_elem(&scope_pod_groups, &id);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(scope_process_fork, struct task_struct *parent, struct task_struct *child) {
    u32 tgid = child->tgid;
    if (tgid != child->pid) return 0; /* a thread */
    u64 container = scope_process(parent->tgid);
    if (!container) return 0;
    u32 slot = tgid & (SCOPE_FILTER_SLOTS - 1);
    if (bpf_map_update_elem(&scope_processes, &tgid, &container, BPF_ANY)) count_unfollowed();
    bpf_map_update_elem(&scope_process_filter, &slot, &scope_mark, BPF_ANY);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(scope_process_exit, struct task_struct *task) {
    if (task->signal->live.counter != 0) return 0; /* other threads go on */
    u32 tgid = task->tgid;
    if (scope_process(tgid)) bpf_map_delete_elem(&scope_processes, &tgid);
    return 0;
}
