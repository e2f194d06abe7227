/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* off-cpu-profile: where threads wait, and for how long: from the switch away from a thread to the switch
 * back to it. gadget.ts beside it declares the columns. */
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = true;
const volatile bool blocked_only = false;
const volatile u64 minimum_ns = 0;
const volatile u64 maximum_ns = ~0ull;

#define TASK_DEAD 0x80

struct waits {
    u64 off_cpu_ns;
    u64 waits;
    u64 first; /* CLOCK_MONOTONIC ns: which of a pid's programs it was */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct stack_key);
    __type(value, struct waits);
} profile SEC(".maps");

/* A thread that is off the CPU. Preallocated: the scheduler holds its locks here, where nothing may be
 * allocated. */
struct off {
    u64 time;
    struct stack_key key;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32); /* thread */
    __type(value, struct off);
} off_cpu SEC(".maps");

static __always_inline void count_wait(struct off *off, u64 now) {
    u64 waited = now - off->time;
    if (waited < minimum_ns || waited > maximum_ns) return;
    struct waits *waits = bpf_map_lookup_elem(&profile, &off->key);
    if (!waits) {
        struct waits none = {.first = off->time};
        bpf_map_update_elem(&profile, &off->key, &none, BPF_NOEXIST);
        waits = bpf_map_lookup_elem(&profile, &off->key);
    }
    if (!waits) {
        count_loss(off->key.container, LOSS_MAP_FULL);
        return;
    }
    __sync_fetch_and_add(&waits->off_cpu_ns, waited);
    __sync_fetch_and_add(&waits->waits, 1);
}

static __always_inline void goes_off(void *ctx, struct task_struct *task, u64 container, u64 now) {
    u32 state = task_state(task);
    if (state & TASK_DEAD || (blocked_only && !state) || !sampled(container)) return;
    u32 thread = task->pid;
    struct off off = {.time = now};
    if (!stack_key_current(&off.key, ctx, container, user_stacks, kernel_stacks)) return;
    if (bpf_map_update_elem(&off_cpu, &thread, &off, BPF_ANY)) count_loss(container, LOSS_MAP_FULL);
}

/* The stack is taken when the thread goes: then it is the current one. */
SEC("tp_btf/sched_switch")
int BPF_PROG(switch_threads, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u64 leaving = scope_of_task(prev);
    u64 coming = scope_of_task(next);
    if (!leaving && !coming) return 0;
    count_scoped();
    u64 now = bpf_ktime_get_ns();
    if (coming) {
        u32 thread = next->pid;
        struct off *off = bpf_map_lookup_elem(&off_cpu, &thread);
        if (off) {
            count_wait(off, now);
            bpf_map_delete_elem(&off_cpu, &thread);
        }
    }
    if (leaving) goes_off(ctx, prev, leaving, now);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
