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
#pragma clang attribute pop

/** The cgroup2 id of a socket; 0 when the socket has none (5.14 and older: net_cls or net_prio is in use). */
static __always_inline u64 sock_cgroup_id(struct sock *sk) {
    if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
    struct sock_cgroup_data___tagged *tagged = (void *)__builtin_preserve_access_index(&sk->sk_cgrp_data);
    u64 word = BPF_CORE_READ(tagged, val);
    if (!word || word & 3) return 0;
    return BPF_CORE_READ((struct cgroup *)word, kn, id);
}

/** The number of the system call that these registers came with; negative: none. */
static __always_inline long syscall_number(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
    return regs->orig_ax;
#else
    return regs->syscallno;
#endif
}

/** True when the current call came by the 32-bit table, whose numbers mean other calls. */
static __always_inline bool syscall_is_compat(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
    /* TS_COMPAT, the kernel's own sign: a 64-bit process can use int 0x80 too. */
    struct task_struct *task = (void *)bpf_get_current_task();
    return BPF_CORE_READ(task, thread_info.status) & 2;
#else
    return regs->pstate & 0x10;
#endif
}
