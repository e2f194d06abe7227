/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* run-queue-latency: how long threads that could run wait for a CPU: from being woken, or from losing their
 * CPU, to running. gadget.ts beside it declares the columns. The same moments as the kernel's own run_delay
 * in /proc/PID/schedstat.
 *
 * Measured (6.18, two processes outside the scope that wake each other through pipes, best of five in each of
 * three interleaved rounds): a switch takes 2.05 to 2.10 us, with this 2.27 to 2.34, with runqlat -p 2.37 to
 * 2.45, with runqlat -c 2.27 to 2.77. */
#include "histogram.bpf.h"
#include "process.bpf.h"

/* Knobs. */
const volatile bool by_process = false;
const volatile u64 minimum_ns = 0;

enum { TASK_DEAD = 0x80 };

/* Threads and since when they wait for a CPU; 0: they don't. Preallocated: allocating under the run queue's
 * lock can deadlock. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, u64);
} queued SEC(".maps");

struct latency_key {
    u64 container;
    struct process process;
    u32 cpu;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct latency_key);
    __type(value, struct histogram);
} latencies SEC(".maps");

/** Woken: waits from now on, unless it waits already (preempted on its way to sleep). */
static __always_inline int woken(struct task_struct *task) {
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
static __always_inline void leave(struct task_struct *task, u64 container, bool preempted, u32 state,
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

static __always_inline void arrive(struct task_struct *task, u64 container, u64 now) {
    u32 thread = task->pid;
    u64 *since = bpf_map_lookup_elem(&queued, &thread);
    if (!since || !*since) return;
    u64 waited = now > *since ? now - *since : 0;
    *since = 0;
    if (waited < minimum_ns) return;
    count_scoped();
    if (!sampled(container)) return;
    struct latency_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    if (by_process) process_of(&key.process, task);
    histogram_add(&latencies, &key, container, waited);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(queue_wakeup, struct task_struct *task) {
    return woken(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(queue_wakeup_new, struct task_struct *task) {
    return woken(task);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(queue_switch, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u64 leaving = scope_of_task(prev);
    u64 arriving = scope_of_task(next);
    if (!leaving && !arriving) return 0;
    u64 now = bpf_ktime_get_ns();
    if (leaving) leave(prev, leaving, preempted, SWITCH_STATE(ctx, prev), now);
    if (arriving) arrive(next, arriving, now);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
