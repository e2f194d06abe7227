/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Since when threads in scope wait for a CPU: from being woken or started, or from losing their CPU while
 * they could go on, to running. The same moments as the kernel's own run_delay in /proc/PID/schedstat. Called
 * from tp_btf/sched_wakeup, sched_wakeup_new and sched_switch. */
#pragma once

#include "losses.bpf.h"
#include "process.bpf.h"

enum { TASK_DEAD = 0x80 };

#define NOT_QUEUED (~0ull)

/* Threads and since when they wait for a CPU; 0: they don't. Preallocated: allocating under the run queue's
 * lock can deadlock. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, u64);
} queued SEC(".maps");

/** Woken: waits from now on, unless it waits already (preempted on its way to sleep). */
static __always_inline int queue_entered(struct task_struct *task) {
    count_hit();
    u64 container = scope_of_task(task);
    if (!container) return 0;
    u32 thread = task->pid;
    u64 now = bpf_ktime_get_ns();
    u64 *since = bpf_map_lookup_elem(&queued, &thread);
    if (since) {
        if (!*since) *since = now;
    } else if (bpf_map_update_elem(&queued, &thread, &now, BPF_ANY)) {
        count_loss(container, LOSS_MAP_FULL);
    }
    return 0;
}

/** Leaves its CPU: waits for another turn, or sleeps; then what a waking before it fell asleep left is void.
 */
static __always_inline void cpu_left(struct task_struct *task, u64 container, bool preempted, u32 state,
                                     u64 now) {
    u32 thread = task->pid;
    if (!thread) return; /* idle */
    if (state & TASK_DEAD) {
        bpf_map_delete_elem(&queued, &thread);
        return;
    }
    u64 since = preempted || !state ? now : 0;
    u64 *known = bpf_map_lookup_elem(&queued, &thread);
    if (known)
        *known = since;
    else if (since && bpf_map_update_elem(&queued, &thread, &since, BPF_ANY))
        count_loss(container, LOSS_MAP_FULL);
}

/** Runs: ns that it waited, or NOT_QUEUED. */
static __always_inline u64 queue_left(struct task_struct *task, u64 now) {
    u32 thread = task->pid;
    u64 *since = bpf_map_lookup_elem(&queued, &thread);
    if (!since || !*since) return NOT_QUEUED;
    u64 waited = now > *since ? now - *since : 0;
    *since = 0;
    return waited;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(queue_wakeup, struct task_struct *task) {
    return queue_entered(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(queue_wakeup_new, struct task_struct *task) {
    return queue_entered(task);
}
