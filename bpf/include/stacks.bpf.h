/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Call stacks, each kept once, exactly: under a 64-bit hash of its addresses, not in a
 * BPF_MAP_TYPE_STACK_TRACE, where two stacks that share a bucket push each other out. A gadget's own map goes
 * from struct stack_key to its weights and `first`. */
#pragma once

#include "losses.bpf.h"
#include "process.bpf.h"

/* As deep as perf walks by default (kernel.perf_event_max_stack). */
#define STACK_DEPTH 127

struct stack {
    u64 addresses[STACK_DEPTH]; /* innermost first, then zeros */
};

/* Whose stack. start and exec keep apart what used the same pid one after the other: processes, and programs
 * that a process became. */
struct stack_key {
    u64 container;
    u64 user_stack; /* 0: none */
    u64 kernel_stack;
    u64 start;
    u64 exec;
    struct process process;
};

/* Room for stacks; preallocated, since programs on perf events may not allocate before 6.1. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __type(key, u64);
    __type(value, struct stack);
} stacks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct stack);
} stack_scratch SEC(".maps");

static __noinline u64 stack_hash(struct stack *stack) {
    u64 hash = 0x9e3779b97f4a7c15;
    if (!stack) return 0;
    for (u32 i = 0; i < STACK_DEPTH; i++) {
        u64 address = stack->addresses[i];
        if (!address) break;
        hash = (hash ^ address) * 0xff51afd7ed558ccd;
        hash ^= hash >> 32;
    }
    return hash;
}

#define STACK_LOST (~0ull)

/** Walks the current stack (flags: BPF_F_USER_STACK or 0) and keeps it; its id, 0 where there is none (a
 * kernel thread has no user stack), STACK_LOST without room. The kernel fills the rest of the buffer with
 * zeros. */
static __always_inline u64 keep_stack(void *ctx, u64 flags) {
    u32 zero = 0;
    struct stack *stack = bpf_map_lookup_elem(&stack_scratch, &zero);
    if (!stack || bpf_get_stack(ctx, stack, sizeof(*stack), flags) <= 0) return 0;
    u64 id = stack_hash(stack);
    if (bpf_map_lookup_elem(&stacks, &id)) return id;
    long error = bpf_map_update_elem(&stacks, &id, stack, BPF_NOEXIST);
    return !error || error == -17 /* EEXIST: another CPU was faster */ ? id : STACK_LOST;
}

/** The current task's key with the stacks asked for. False: no room for one of them; the loss is counted, and
 * the event is not to be recorded. */
static __always_inline bool stack_key_current(struct stack_key *key, void *ctx, u64 container, bool user,
                                              bool kernel) {
    struct task_struct *task = (void *)bpf_get_current_task();
    key->container = container;
    process_current(&key->process);
    key->start = BPF_CORE_READ(task, group_leader, start_time);
    key->exec = BPF_CORE_READ(task, self_exec_id);
    if (user) key->user_stack = keep_stack(ctx, BPF_F_USER_STACK);
    if (kernel) key->kernel_stack = keep_stack(ctx, 0);
    if (key->user_stack != STACK_LOST && key->kernel_stack != STACK_LOST) return true;
    count_loss(container, LOSS_STACK_UNAVAILABLE);
    return false;
}
