/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* run-queue-latency: how long threads that could run wait for a CPU: from being woken, or from losing their
 * CPU, to running. gadget.ts beside it declares the columns. The same moments as the kernel's own run_delay
 * in /proc/PID/schedstat.
 *
 * Measured (6.18, two processes outside the scope that wake each other through pipes, best of five in each of
 * three interleaved rounds): a switch takes 2.05 to 2.10 us, with this 2.27 to 2.34, with runqlat -p 2.37 to
 * 2.45, with runqlat -c 2.27 to 2.77. */
#include "histogram.bpf.h"
#include "run_queue.bpf.h"

/* Knobs. */
const volatile bool by_process = false;
const volatile u64 minimum_ns = 0;

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

static __always_inline void arrive(struct task_struct *task, u64 container, u64 now) {
    u64 waited = queue_left(task, now);
    if (waited == NOT_QUEUED || waited < minimum_ns) return;
    count_scoped();
    if (!sampled(container)) return;
    struct latency_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    if (by_process) process_of(&key.process, task);
    histogram_add(&latencies, &key, container, waited);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(queue_switch, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u64 leaving = scope_of_task(prev);
    u64 arriving = scope_of_task(next);
    if (!leaving && !arriving) return 0;
    u64 now = bpf_ktime_get_ns();
    if (leaving) cpu_left(prev, leaving, preempted, SWITCH_STATE(ctx, prev), now);
    if (arriving) arrive(next, arriving, now);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
