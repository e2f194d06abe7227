/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* syscall-counts: how often each system call was made, how long it took, how often it failed. gadget.ts
 * beside it declares the columns. */
#include "map_entry.bpf.h"
#include "process.bpf.h"

/* Knobs. */
const volatile bool errors_only = false;
const volatile bool by_process = false;
const volatile bool by_call = false;
const volatile u64 calls_wanted[8] = {}; /* a bit for each number below 512 */

/* Keyed by CPU too: only that CPU's program writes the entry, so that counts, and above all maxima, are exact
 * without atomics (5.10 has no compare-and-exchange). The rows fold when they are read. */
struct call_key {
    u64 container;
    u32 syscall; /* 32-bit calls: 100,000 + the number in their own table */
    u32 cpu;
    struct process process;
};

struct call_counts {
    u64 calls;
    u64 errors;
    u64 total_ns;
    u64 max_ns;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct call_key);
    __type(value, struct call_counts);
} calls SEC(".maps");

/* A thread's call from its entry to its exit. In an array, by the thread's id modulo its size: that costs a
 * few instructions where a hash or task storage costs tens of nanoseconds. A thread whose slot is another's
 * (who is in a call just then) goes to the hash. */
struct call_start {
    u32 thread; /* 0: free */
    u32 number;
    u64 time;
    u64 container;
};

#define START_SLOTS 16384

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, START_SLOTS);
    __type(key, u32);
    __type(value, struct call_start);
} starts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, struct call_start);
} crowded_starts SEC(".maps");

#if defined(__TARGET_ARCH_x86)
enum { NR_EXIT = 60, NR_EXIT_GROUP = 231 };
#else
enum { NR_EXIT = 93, NR_EXIT_GROUP = 94 };
#endif
#define COMPAT_BASE 100000

static __always_inline bool is_wanted(u32 number) {
    if (!by_call) return true;
    return number < 512 && calls_wanted[number >> 6 & 7] >> (number & 63) & 1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enter, struct pt_regs *regs, long number) {
    if (!is_wanted(number)) return 0;
    /* Counted as in scope at its exit: a call is one event. */
    count_hit();
    u64 container = scope_current_uncounted();
    if (!container) return 0;
    if (syscall_is_compat(regs))
        number += COMPAT_BASE;
    else if (number == NR_EXIT || number == NR_EXIT_GROUP)
        return 0; /* would hold its slot for ever */
    u32 thread = bpf_get_current_pid_tgid();
    u32 index = thread & (START_SLOTS - 1);
    struct call_start start = {
        .thread = thread, .number = number, .time = bpf_ktime_get_ns(), .container = container};
    struct call_start *slot = bpf_map_lookup_elem(&starts, &index);
    if (!slot) return 0;
    if (!slot->thread || slot->thread == thread)
        *slot = start;
    else if (bpf_map_update_elem(&crowded_starts, &thread, &start, BPF_ANY))
        count_loss(container, LOSS_MAP_FULL);
    return 0;
}

static __always_inline void count_call(const struct call_start *start, long result) {
    bool failed = result < 0 && result >= -4095;
    if (errors_only && !failed) return;
    if (!sampled(start->container)) return;
    struct call_key key = {
        .container = start->container, .syscall = start->number, .cpu = bpf_get_smp_processor_id()};
    if (by_process) process_current(&key.process);
    struct call_counts *counts = map_entry(&calls, &key, &(struct call_counts){}, start->container);
    if (!counts) return;
    counts->calls++;
    if (failed) counts->errors++;
    if (!start->time) return;
    u64 took = bpf_ktime_get_ns() - start->time;
    counts->total_ns += took;
    if (took > counts->max_ns) counts->max_ns = took;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_exit, struct pt_regs *regs, long result) {
    /* rt_sigreturn has no number at its exit; with a filter set its entry is what counts. */
    count_hit();
    if (!scope_current_likely()) return 0;
    u32 thread = bpf_get_current_pid_tgid();
    u32 index = thread & (START_SLOTS - 1);
    struct call_start *slot = bpf_map_lookup_elem(&starts, &index);
    if (slot && slot->thread == thread) {
        count_scoped();
        count_call(slot, result);
        slot->thread = 0;
        return 0;
    }
    struct call_start *crowded = bpf_map_lookup_elem(&crowded_starts, &thread);
    if (crowded) {
        count_scoped();
        count_call(crowded, result);
        bpf_map_delete_elem(&crowded_starts, &thread);
        return 0;
    }
    /* Not timed, or entered before the job began: counted without its time. */
    long number = SYSCALL_NUMBER(regs);
    if (number < 0 || !is_wanted(number)) return 0;
    u64 container = scope_current_uncounted();
    if (!container) return 0;
    count_scoped();
    if (syscall_is_compat(regs)) number += COMPAT_BASE;
    struct call_start start = {.number = number, .container = container};
    count_call(&start, result);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
