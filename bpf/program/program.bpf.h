/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The frame of a compiled program: its scope test, its record, its stacks, its clock. Neighbours:
 * strings.bpf.h, programs/lower/program.ts. */
#pragma once

#include "events.bpf.h"
#include "stacks.bpf.h"

/* Knob: a job without targets traces the whole node under this scope id; 0: only what the scope's maps hold.
 * Never set for a namespaced job. */
const volatile u64 scope_all = 0;

/* Set by the agent when everything is attached: CLOCK_BOOTTIME, what `elapsed` counts from. */
volatile u64 program_started = 0;

/* Every function here is called from the other object. */
#define FUNCTION __hidden __attribute__((noinline))

/* What the program asks of user space. `what` is the place in Compiled.outputs; the tail has its arguments.
 */
struct program_record {
    EVENT_HEADER;
    struct process process;
    u32 probe; /* the place in Compiled.probes; of those that share a program the first */
    u32 what;
    struct text payload;
    u32 reserved2;
    char tail[8];
};
RECORD(program_record);

/** The scope id of the task that runs; 0: outside, or not wanted now. */
FUNCTION u64 program_scope(void) {
    u64 container = scope_all;
    if (container) {
        count_hit();
        count_scoped();
    } else {
        container = scope_current();
    }
    if (!container || !sampled(container)) return 0;
    return container;
}

/** Of a probe that is about no task (begin, end, interval, self). */
FUNCTION u64 program_hit(void) {
    count_hit();
    return 0;
}

/** What had no room in a map. */
FUNCTION u64 program_map_full(u64 container) {
    count_loss(container, LOSS_MAP_FULL);
    return 0;
}

/** Completes a record whose tail is written, and hands it over. place: probe << 32 | what. length: of the
 * tail; the caller has bounded it by the room there. */
FUNCTION u64 program_emit(struct program_record *record, u64 container, u64 place, u64 length) {
    record->time = bpf_ktime_get_ns();
    record->container = container;
    record->id = 0;
    record->kind = 0;
    record->reserved = 0;
    process_current(&record->process);
    record->probe = place >> 32;
    record->what = place;
    record->payload.offset = __builtin_offsetof(struct program_record, tail);
    record->payload.length = length;
    record->reserved2 = 0;
    emit(record, __builtin_offsetof(struct program_record, tail) + length);
    return 0;
}

/* User stacks by their id: whose they are. Ids differ by process and exec, so that each can be named. */
struct stack_owner {
    u64 time; /* CLOCK_MONOTONIC, when it was first seen */
    u32 pid;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192); /* as stacks */
    __type(key, u64);
    __type(value, struct stack_owner);
} stack_owners SEC(".maps");

/** The id of the current stack in `stacks`; 0: none, or no room. scratch: the program's own room for it,
 * zeroed where bytes is less than all of it. */
FUNCTION u64 program_stack(void *ctx, struct stack_addresses *scratch, u64 flags, u64 bytes, u64 container) {
    if (bytes > sizeof(*scratch)) return 0;
    long taken = bpf_get_stack(ctx, scratch, bytes, flags);
    if (taken <= 0) return 0;
    if (!stack_seed) stack_seed = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
    u64 seed = stack_seed;
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    if (flags & BPF_F_USER_STACK) {
        seed += container * 0xff51afd7ed558ccd;
        seed ^= incarnation_of((struct task_struct *)bpf_get_current_task()) + ((u64)pid << 32);
    }
    u64 hash = stack_hash(scratch, taken / sizeof(u64), seed);
    if (bpf_map_lookup_elem(&stacks, &hash)) return hash;
    if (bpf_map_update_elem(&stacks, &hash, scratch, BPF_NOEXIST) && !bpf_map_lookup_elem(&stacks, &hash)) {
        count_loss(container, LOSS_STACK_UNAVAILABLE);
        return 0;
    }
    if (flags & BPF_F_USER_STACK) {
        struct stack_owner owner = {.time = bpf_ktime_get_ns(), .pid = pid};
        bpf_map_update_elem(&stack_owners, &hash, &owner, BPF_ANY);
    }
    return hash;
}

/** How many frames a stack has. */
FUNCTION u64 program_stack_depth(u64 id) {
    struct stack_addresses *stack = bpf_map_lookup_elem(&stacks, &id);
    if (!stack) return 0;
    u32 depth = 0;
    for (u32 i = 0; i < STACK_DEPTH; i++) {
        if (!stack->address[i]) break;
        depth++;
    }
    return depth;
}

/** ns since the program was attached. */
FUNCTION u64 program_elapsed(void) {
    u64 now = bpf_ktime_get_boot_ns();
    if (!program_started) program_started = now;
    return now - program_started;
}

/** Of a task by its address, 0: the one that runs. */
FUNCTION u64 program_parent(u64 task) {
    struct task_struct *of = (void *)(task ?: bpf_get_current_task());
    return BPF_CORE_READ(of, real_parent, tgid);
}

/** The name of a task's process: 16 bytes. */
FUNCTION u64 program_process_name(char *name, u64 task) {
    struct task_struct *of = (void *)(task ?: bpf_get_current_task());
    bpf_probe_read_kernel(name, 16, &BPF_CORE_READ(of, group_leader)->comm);
    return 0;
}

/** The bucket of a histogram with 2^bits buckets in each power of two: 0 below zero, then one for each value
 * less than 2^bits, then by the power. programs/layout.ts has the same rule. */
FUNCTION u64 program_log2_bucket(s64 value, u64 bits) {
    if (value < 0) return 0;
    if ((u64)value < 1ull << bits) return value + 1;
    u64 power = 0, rest = value;
    if (rest >> 32) power += 32, rest >>= 32;
    if (rest >> 16) power += 16, rest >>= 16;
    if (rest >> 8) power += 8, rest >>= 8;
    if (rest >> 4) power += 4, rest >>= 4;
    if (rest >> 2) power += 2, rest >>= 2;
    if (rest >> 1) power += 1;
    u64 below = ((u64)value >> (power - bits)) & ((1ull << bits) - 1);
    return 1 + ((power - bits + 1) << bits) + below;
}
