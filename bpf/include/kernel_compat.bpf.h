/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What differs between kernels from 5.10 on, each with the version that changed it. CO-RE makes every test
 * here a constant at load: the branch not taken is never verified, and never runs. */
#pragma once

#include "kernel.h"

/* 5.11: bpf_get_current_task_btf. Before it, members of the current task are read by bpf_probe_read_kernel.
 */
#define HAVE_CURRENT_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

/* 5.15: bpf_task_pt_regs. */
#define HAVE_TASK_PT_REGS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* 5.11: task storage for tracing programs. */
#define HAVE_TASK_STORAGE bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_storage_get)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* Until 5.14 a socket's cgroup was a tagged word: either bit of the lowest two set means that it holds a
 * class id, not a group. */
struct sock_cgroup_data___tagged {
    u64 val;
};

/* Until 5.13 __state was called state. */
struct task_struct___named {
    unsigned int __state;
};

struct task_struct___unnamed {
    long state;
};
#pragma clang attribute pop

/** TASK_… bits of a task that the verifier knows. */
static __always_inline u32 task_state(struct task_struct *task) {
    struct task_struct___named *named = (void *)task;
    if (bpf_core_field_exists(named->__state)) return BPF_CORE_READ(named, __state);
    struct task_struct___unnamed *unnamed = (void *)task;
    return BPF_CORE_READ(unnamed, state);
}

/* 5.18 gave sched_switch the state as a fourth argument: by the time it fires, another CPU may be waking the
 * task already, and the member says so. */
typedef void (*btf_trace_sched_switch)(void *, bool, struct task_struct *, struct task_struct *,
                                       unsigned int);

/** The state in which the previous task left its CPU; ctx is sched_switch's. */
#define SWITCH_STATE(ctx, prev) \
    (bpf_core_type_matches(btf_trace_sched_switch) ? (u32)(ctx)[3] : task_state(prev))

/** The cgroup2 id of a socket; 0 when the socket has none (5.14 and older: net_cls or net_prio is in use). */
static __always_inline u64 sock_cgroup_id(struct sock *sk) {
    if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
    struct sock_cgroup_data___tagged *tagged = (void *)__builtin_preserve_access_index(&sk->sk_cgrp_data);
    u64 word = BPF_CORE_READ(tagged, val);
    if (!word || word & 3) return 0;
    return BPF_CORE_READ((struct cgroup *)word, kn, id);
}

/** The registers with which the current task came into the kernel. Read them by the macros below. */
static __always_inline struct pt_regs *current_registers(void) {
    if (HAVE_TASK_PT_REGS) return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
    /* Until 5.14: at the top of its kernel stack, which is 16 KiB on x86-64 and arm64. */
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return BPF_CORE_READ(task, stack) + 16384 - bpf_core_type_size(struct pt_regs);
}

#define REGISTER(regs, member) (HAVE_TASK_PT_REGS ? (regs)->member : BPF_CORE_READ(regs, member))

/* The number and the arguments of a system call, at its entry and at its exit. Not after execve,
 * rt_sigreturn, exit and exit_group. */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(regs) ((s64)REGISTER(regs, orig_ax))
#define SYSCALL_ARGUMENT_1(regs) REGISTER(regs, di)
#define SYSCALL_ARGUMENT_2(regs) REGISTER(regs, si)
#define SYSCALL_ARGUMENT_3(regs) REGISTER(regs, dx)
#define SYSCALL_ARGUMENT_4(regs) REGISTER(regs, r10)
#define SYSCALL_ARGUMENT_5(regs) REGISTER(regs, r8)
#else
#define SYSCALL_NUMBER(regs) ((s64)REGISTER(regs, syscallno))
#define SYSCALL_ARGUMENT_1(regs) REGISTER(regs, orig_x0) /* the result overwrites x0 */
#define SYSCALL_ARGUMENT_2(regs) REGISTER(regs, regs[1])
#define SYSCALL_ARGUMENT_3(regs) REGISTER(regs, regs[2])
#define SYSCALL_ARGUMENT_4(regs) REGISTER(regs, regs[3])
#define SYSCALL_ARGUMENT_5(regs) REGISTER(regs, regs[4])
#endif

/** True when the current call came by the 32-bit table, whose numbers mean other calls. */
static __always_inline bool syscall_is_compat(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
    /* TS_COMPAT, the kernel's own sign: a 64-bit process can use int 0x80 too. */
    if (HAVE_CURRENT_TASK_BTF) return bpf_get_current_task_btf()->thread_info.status & 2;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return BPF_CORE_READ(task, thread_info.status) & 2;
#else
    return REGISTER(regs, pstate) & 0x10;
#endif
}
