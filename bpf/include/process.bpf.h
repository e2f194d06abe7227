/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Which process, in records and in keys. Its columns: bpf/gadget.ts processColumns. */
#pragma once

#include "kernel_compat.bpf.h"

/** Whose it is within the container. */
struct process {
    u32 pid;           /* of the process (tgid), as the host sees it */
    u32 container_pid; /* the same in the innermost pid namespace */
    char name[16];
};

/** Of a task by a BTF pointer (argument of tp_btf or fentry, bpf_get_current_task_btf). */
static __always_inline void process_of(struct process *process, struct task_struct *task) {
    struct pid *pid = task->group_leader->thread_pid;
    u32 level = pid->level;
    process->pid = process->container_pid = task->tgid;
    __builtin_memcpy(process->name, task->comm, sizeof(process->name));
    if (!level) return;
    /* One entry per nested namespace, the innermost last. */
    bpf_probe_read_kernel(&process->container_pid, sizeof(u32), &pid->numbers[level].nr);
}

/** Of a task whose pointer the verifier doesn't know. */
static __always_inline void process_at(struct process *process, struct task_struct *task) {
    struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
    u32 level = BPF_CORE_READ(pid, level);
    process->pid = process->container_pid = BPF_CORE_READ(task, tgid);
    BPF_CORE_READ_STR_INTO(&process->name, task, comm);
    if (level) bpf_probe_read_kernel(&process->container_pid, sizeof(u32), &pid->numbers[level].nr);
}

/** Of the task that runs. */
static __always_inline void process_current(struct process *process) {
    if (HAVE_CURRENT_TASK_BTF)
        process_of(process, bpf_get_current_task_btf());
    else
        process_at(process, (struct task_struct *)bpf_get_current_task());
}
