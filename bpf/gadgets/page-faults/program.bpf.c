/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* page-faults: which code touches memory that is not there yet. */
#include "map_entry.bpf.h"
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = false;

struct faults {
    u64 first; /* CLOCK_MONOTONIC */
    u64 faults;
    u64 writes;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct stack_key);
    __type(value, struct faults);
} profile SEC(".maps");

#define FAULT_WRITES 2 /* x86's X86_PF_WRITE */

/* x86; other architectures have no such tracepoint. */
SEC("tp_btf/page_fault_user")
int BPF_PROG(page_touched, unsigned long address, struct pt_regs *regs, unsigned long code) {
    u64 container = scope_current();
    if (!container || !sampled(container)) return 0;
    struct stack_key key = {};
    if (user_stacks && !stack_take(ctx, BPF_F_USER_STACK, container, &key.user_stack)) return 0;
    if (kernel_stacks && !stack_take(ctx, 0, container, &key.kernel_stack)) return 0;
    stack_key_begin(&key, container);
    struct faults *faults =
        map_entry(&profile, &key, (&(struct faults){.first = bpf_ktime_get_ns()}), container);
    if (!faults) return 0;
    __sync_fetch_and_add(&faults->faults, 1);
    if (code & FAULT_WRITES) __sync_fetch_and_add(&faults->writes, 1);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
