/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Call stacks as keys: each stack's addresses are kept once, under a 64-bit hash of them. agent/stacks.ts
 * reads both maps: `stacks`, and the gadget's own from struct stack_key to a struct of u64 that begins with
 * `first`.
 *
 * Not BPF_MAP_TYPE_STACK_TRACE: its buckets hold one stack each, and a second one is lost or overwrites. All
 * maps are preallocated: allocating under a run queue's lock, or in an interrupt before 6.1, can deadlock. */
#pragma once

#include "map_entry.bpf.h"
#include "process.bpf.h"

#define STACK_DEPTH 127 /* the kernel's own default limit */

struct stack_key {
    u64 container;
    struct process process;
    u64 incarnation; /* one address space: a process from its start or its last exec on */
    u64 user_stack;  /* in `stacks`; 0: none */
    u64 kernel_stack;
    u32 thread; /* 0: not told apart */
    u32 state;  /* the gadget's own */
};

struct stack_addresses {
    u64 address[STACK_DEPTH]; /* innermost first, then zeros */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __type(key, u64);
    __type(value, struct stack_addresses);
} stacks SEC(".maps");

/* Every object has one kind of program that takes stacks, and it never interrupts itself. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct stack_addresses);
} stack_scratch SEC(".maps");

/* Not known outside, so that nobody can lay out a stack that hashes to another's. Two CPUs that choose it at
 * once only keep a few stacks twice. */
volatile u64 stack_seed = 0;

static __noinline u64 stack_hash(const struct stack_addresses *stack, u32 depth, u64 seed) {
    u64 hash = seed;
    for (u32 i = 0; i < STACK_DEPTH; i++) {
        if (i >= depth) break;
        hash = (hash ^ stack->address[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 32;
    }
    return hash ?: 1;
}

/** Takes the stack of the task that runs (flags: BPF_F_USER_STACK or 0) and gives its id; 0: it has none.
 *  False when there was no room for it: counted. User stacks are kept per container: no container's can be
 * mistaken for another's. */
static __always_inline bool stack_take(void *ctx, u64 flags, u64 container, u64 *id) {
    u32 zero = 0;
    *id = 0;
    struct stack_addresses *scratch = bpf_map_lookup_elem(&stack_scratch, &zero);
    if (!scratch) return false;
    long bytes = bpf_get_stack(ctx, scratch, sizeof(*scratch), flags);
    if (bytes <= 0) return true;
    if (!stack_seed) stack_seed = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
    u64 seed = flags & BPF_F_USER_STACK ? stack_seed + container * 0xff51afd7ed558ccd : stack_seed;
    u64 hash = stack_hash(scratch, bytes / sizeof(u64), seed);
    if (!bpf_map_lookup_elem(&stacks, &hash) && bpf_map_update_elem(&stacks, &hash, scratch, BPF_NOEXIST) &&
        !bpf_map_lookup_elem(&stacks, &hash)) {
        count_loss(container, LOSS_STACK_UNAVAILABLE);
        return false;
    }
    *id = hash;
    return true;
}

static __always_inline u64 incarnation_of(struct task_struct *task) {
    return BPF_CORE_READ(task, group_leader, start_time) + BPF_CORE_READ(task, self_exec_id);
}

/** Whose stack it is, for the task that runs; the stacks themselves are not in it yet. */
static __always_inline void stack_key_begin(struct stack_key *key, u64 container) {
    key->container = container;
    process_current(&key->process);
    key->incarnation = incarnation_of((struct task_struct *)bpf_get_current_task());
}
