/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* cpu-time: how long threads run each time they get a CPU, or how long they are off it. */
#include "histogram.bpf.h"
#include "process.bpf.h"

/* Knobs. */
const volatile bool off_cpu = false;
const volatile bool by_process = false;
const volatile u64 minimum_ns = 0;

enum { TASK_DEAD = 0x80 };

/* On the CPU: since when its thread runs. */
struct turn {
    u64 since;
    u32 thread;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct turn);
} turns SEC(".maps");

/* Off it: since when. Preallocated: allocating under the run queue's lock can deadlock. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, u64);
} away SEC(".maps");

struct time_key {
    u64 container;
    struct process process;
    u32 cpu;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct time_key);
    __type(value, struct histogram);
} times SEC(".maps");

static __always_inline void add(struct task_struct *task, u64 container, u64 took) {
    if (took < minimum_ns) return;
    count_scoped();
    if (!sampled(container)) return;
    struct time_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    if (by_process) process_of(&key.process, task);
    histogram_add(&times, &key, container, took);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(time_switch, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u32 zero = 0;
    struct turn *turn = bpf_map_lookup_elem(&turns, &zero);
    if (!turn) return 0;
    u64 leaving = scope_of_task(prev);
    u64 arriving = scope_of_task(next);
    u64 now = leaving || arriving ? bpf_ktime_get_ns() : 0;
    u32 thread = prev->pid;
    if (leaving && thread) {
        if (!off_cpu && turn->thread == thread && turn->since) add(prev, leaving, now - turn->since);
        if (off_cpu && !(SWITCH_STATE(ctx, prev) & TASK_DEAD) &&
            bpf_map_update_elem(&away, &thread, &now, BPF_ANY))
            count_loss(leaving, LOSS_MAP_FULL);
    }
    turn->since = arriving ? now : 0;
    turn->thread = thread = next->pid;
    if (off_cpu && arriving && thread) {
        u64 *since = bpf_map_lookup_elem(&away, &thread);
        if (since) {
            add(next, arriving, now - *since);
            bpf_map_delete_elem(&away, &thread);
        }
    }
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
