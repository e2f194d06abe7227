/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* run-queue-slow: each wait for a CPU that was too long, with who had the CPU. */
#include "events.bpf.h"
#include "run_queue.bpf.h"

/* Knobs. */
const volatile u64 minimum_ns = 10000000;

struct slow_record {
    EVENT_HEADER;
    struct process process;
    u32 thread;
    u32 cpu;
    u64 latency_ns;
    char previous[16]; /* the thread that ran on the CPU until then */
    u32 previous_thread;
    u32 reserved2;
};

RECORD(slow_record);

SEC("tp_btf/sched_switch")
int BPF_PROG(slow_switch, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u64 leaving = scope_of_task(prev);
    u64 arriving = scope_of_task(next);
    if (!leaving && !arriving) return 0;
    u64 now = bpf_ktime_get_ns();
    if (leaving) cpu_left(prev, leaving, preempted, SWITCH_STATE(ctx, prev), now);
    if (!arriving) return 0;
    u64 waited = queue_left(next, now);
    if (waited == NOT_QUEUED || waited < minimum_ns) return 0;
    count_scoped();
    if (!sampled(arriving)) return 0;
    struct slow_record record = {.time = now, .container = arriving, .latency_ns = waited};
    process_of(&record.process, next);
    record.thread = next->pid;
    record.cpu = bpf_get_smp_processor_id();
    /* Who is outside the scope is not this job's to name. */
    if (leaving) {
        __builtin_memcpy(record.previous, prev->comm, sizeof(record.previous));
        record.previous_thread = prev->pid;
    }
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
