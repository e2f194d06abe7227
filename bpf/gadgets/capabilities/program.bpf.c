/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* capabilities: which capabilities the kernel looks for, of whom, and whether they have them; with the stack,
 * from where. gadget.ts beside it says at which of the hooks below. */
#include "map_entry.bpf.h"
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = false;
const volatile bool kernel_stacks = false;
const volatile bool denied_only = false;

/* Begins like struct stack_key, so that it is read as one where stacks are asked for. */
struct capability_key {
    u64 container;
    struct process process;
    u64 incarnation;
    u64 user_stack;
    u64 kernel_stack;
    u32 thread; /* 0 */
    u32 state;  /* 0 */
    u32 capability;
    u32 denied;
};

struct capability_checks {
    u64 first; /* CLOCK_MONOTONIC */
    u64 checks;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __type(key, struct capability_key);
    __type(value, struct capability_checks);
} checks SEC(".maps");

static __always_inline int count_check(void *ctx, u32 capability, s32 result) {
    u64 container = scope_current();
    if (!container) return 0;
    if (denied_only && !result) return 0;
    if (!sampled(container)) return 0;
    struct stack_key base = {};
    if (user_stacks && !stack_take(ctx, BPF_F_USER_STACK, container, &base.user_stack)) return 0;
    if (kernel_stacks && !stack_take(ctx, 0, container, &base.kernel_stack)) return 0;
    stack_key_begin(&base, container);
    struct capability_key key = {
        .container = container,
        .process = base.process,
        .incarnation = user_stacks ? base.incarnation : 0,
        .user_stack = base.user_stack,
        .kernel_stack = base.kernel_stack,
        .capability = capability,
        .denied = result != 0,
    };
    struct capability_checks *found =
        map_entry(&checks, &key, (&(struct capability_checks){.first = bpf_ktime_get_ns()}), container);
    if (!found) return 0;
    __sync_fetch_and_add(&found->checks, 1);
    return 0;
}

/* 6.14 */
SEC("tp_btf/cap_capable")
int BPF_PROG(capability_checked, void *cred, void *target, void *granting, int capability, int result) {
    return count_check(ctx, capability, result);
}

SEC("fexit/cap_capable")
int BPF_PROG(capability_check_exit, void *cred, void *target, int capability, unsigned int options,
             int result) {
    return count_check(ctx, capability, result);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
