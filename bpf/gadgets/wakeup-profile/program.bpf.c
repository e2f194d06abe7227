/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* wakeup-profile: who wakes the threads in scope, from where in its code, and how long they had slept. */
#include "map_entry.bpf.h"
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = true;
const volatile bool by_waker = false; /* the scope is the waker's */
const volatile u64 minimum_ns = 0;

enum { TASK_DEAD = 0x80, TASK_SLEEPS = 3 /* interruptible or not */ };

/* Since when threads sleep. Preallocated: allocating under the run queue's lock can deadlock. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u32);
    __type(value, u64);
} asleep SEC(".maps");

/* Begins as struct stack_key: the stacks are the waker's. */
struct wakeup_key {
    u64 container;
    struct process process; /* the waker; zeros: outside the scope */
    u64 incarnation;
    u64 user_stack;
    u64 kernel_stack;
    u32 thread; /* 0 */
    u32 state;  /* 0 */
    struct process sleeper;
};

struct wakeups {
    u64 first; /* CLOCK_MONOTONIC */
    u64 wakeups;
    u64 slept_ns;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct wakeup_key);
    __type(value, struct wakeups);
} wakeups SEC(".maps");

SEC("tp_btf/sched_switch")
int BPF_PROG(sleeper_switch, bool preempted, struct task_struct *prev, struct task_struct *next) {
    count_hit();
    if (preempted) return 0;
    /* By the waker's scope anybody may be the sleeper, and is only known when it is woken. */
    u64 container = by_waker ? 1 : scope_of_task(prev);
    u32 thread = prev->pid;
    if (!container || !thread) return 0;
    u32 state = SWITCH_STATE(ctx, prev);
    if (state & TASK_DEAD) {
        bpf_map_delete_elem(&asleep, &thread);
        return 0;
    }
    if (!(state & TASK_SLEEPS)) return 0;
    u64 now = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&asleep, &thread, &now, BPF_ANY) && !by_waker)
        count_loss(container, LOSS_MAP_FULL);
    return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sleeper_woken, struct task_struct *task) {
    u64 container = by_waker ? scope_current() : scope_task(task);
    if (!container) return 0;
    u32 thread = task->pid;
    u64 *since = bpf_map_lookup_elem(&asleep, &thread);
    if (!since) return 0;
    u64 slept = bpf_ktime_get_ns() - *since;
    bpf_map_delete_elem(&asleep, &thread);
    if (slept < minimum_ns || !sampled(container)) return 0;

    /* Who is outside the scope is not this job's to name: of such a waker the kernel's part is told. */
    bool waker_known = by_waker || scope_current_uncounted();
    bool sleeper_known = !by_waker || scope_of_task(task);
    struct wakeup_key key = {.container = container};
    struct stack_key base = {};
    if (user_stacks && waker_known && !stack_take(ctx, BPF_F_USER_STACK, container, &base.user_stack))
        return 0;
    if (kernel_stacks && !stack_take(ctx, 0, container, &base.kernel_stack)) return 0;
    if (waker_known) stack_key_begin(&base, container);
    key.process = base.process;
    key.incarnation = base.incarnation;
    key.user_stack = base.user_stack;
    key.kernel_stack = base.kernel_stack;
    if (sleeper_known) process_of(&key.sleeper, task);

    struct wakeups *found =
        map_entry(&wakeups, &key, (&(struct wakeups){.first = bpf_ktime_get_ns()}), container);
    if (!found) return 0;
    __sync_fetch_and_add(&found->wakeups, 1);
    __sync_fetch_and_add(&found->slept_ns, slept);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
