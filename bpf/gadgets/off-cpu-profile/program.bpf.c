/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* off-cpu-profile: where threads wait, and for how long. gadget.ts beside it declares the columns.
 *
 * The stack is taken when a thread leaves its CPU, the time added to it when it comes back. What it left
 * waits in a preallocated hash, not in task storage: making that allocates, under the run queue's lock. */
#include "stacks.bpf.h"

/* Knobs. */
const volatile u64 minimum_ns = 0;
const volatile u64 maximum_ns = ~0ULL;
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = true;
const volatile bool by_thread = false;
const volatile u32 wanted_states = ~0U; /* a bit for each of enum off_state */

enum off_state { OFF_RUNNABLE, OFF_SLEEPING, OFF_UNINTERRUPTIBLE, OFF_STOPPED };

/* The kernel's; the same in all versions. */
enum {
    TASK_INTERRUPTIBLE = 1,
    TASK_UNINTERRUPTIBLE = 2,
    TASK_STOPPED_OR_TRACED = 4 | 8,
    TASK_DEAD = 0x80,
};

struct off_cpu {
    u64 time; /* when it left; 0: it runs, or is not wanted */
    u64 ran;  /* how long it had run until then */
    struct stack_key key;
};

/* What is in it when the job ends is waiting still: the agent counts it until then (Unended in
 * bpf/gadget.ts). */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, struct off_cpu);
} off SEC(".maps");

struct waits {
    u64 first; /* CLOCK_MONOTONIC */
    u64 off_cpu_ns;
    u64 waits;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct stack_key);
    __type(value, struct waits);
} profile SEC(".maps");

static const struct off_cpu off_empty = {};

static __always_inline u32 off_state(bool preempted, u32 state) {
    /* Preempted on its way to sleep: it still waits for a CPU. */
    if (preempted || !state) return OFF_RUNNABLE;
    if (state & TASK_UNINTERRUPTIBLE) return OFF_UNINTERRUPTIBLE;
    if (state & TASK_STOPPED_OR_TRACED) return OFF_STOPPED;
    return OFF_SLEEPING; /* also what another CPU is waking already */
}

/** A wait is over: its time goes to the stack that the thread left with. */
static __always_inline void ended(struct off_cpu *left, u64 now) {
    u64 since = left->time;
    u64 waited = now > since ? now - since : 0;
    left->time = 0;
    if (waited < minimum_ns || waited > maximum_ns) return;
    count_scoped();
    struct waits *sums =
        map_entry(&profile, &left->key, (&(struct waits){.first = since}), left->key.container);
    if (!sums) return;
    __sync_fetch_and_add(&sums->off_cpu_ns, waited);
    __sync_fetch_and_add(&sums->waits, 1);
}

/** The running thread leaves its CPU: keeps where, until it comes back. */
static __always_inline void leave(void *ctx, struct task_struct *task, u64 container, bool preempted,
                                  u32 task_bits, u64 now) {
    u32 thread = task->pid;
    if (!thread) return; /* idle */
    struct off_cpu *left = bpf_map_lookup_elem(&off, &thread);
    /* It came back, and nobody said so: a kernel may report no switch away from a task that it hides from
     * tracing (seen in a virtual machine on 6.18, from its supervisor's threads). What it ran since says
     * when. */
    if (left && left->time) ended(left, now - (task->se.sum_exec_runtime - left->ran));
    if (task_bits & TASK_DEAD) {
        bpf_map_delete_elem(&off, &thread);
        return;
    }
    u32 state = off_state(preempted, task_bits);
    if (!(wanted_states >> (state & 31) & 1)) return;
    if (!sampled(container)) {
        count_scoped();
        return;
    }
    left = map_entry(&off, &thread, &off_empty, container);
    if (!left) return;
    left->key.user_stack = left->key.kernel_stack = 0;
    if (user_stacks && !stack_take(ctx, BPF_F_USER_STACK, container, &left->key.user_stack)) return;
    if (kernel_stacks && !stack_take(ctx, 0, container, &left->key.kernel_stack)) return;
    stack_key_begin(&left->key, container);
    left->key.thread = by_thread ? thread : 0;
    left->key.state = state;
    left->ran = task->se.sum_exec_runtime;
    left->time = now;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_threads, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    u64 leaving = scope_of_task(prev);
    u64 arriving = scope_of_task(next);
    if (!leaving && !arriving) return 0;
    u64 now = bpf_ktime_get_ns();
    if (leaving) leave(ctx, prev, leaving, preempted, SWITCH_STATE(ctx, prev), now);
    if (!arriving) return 0;
    u32 thread = next->pid;
    struct off_cpu *left = bpf_map_lookup_elem(&off, &thread);
    if (left && left->time) ended(left, now);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
