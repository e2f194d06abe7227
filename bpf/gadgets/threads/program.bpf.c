/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* threads: each new thread and each fork. */
#include "events.bpf.h"

/* Knobs. */
const volatile bool threads_only = false;

enum { CLONE_THREAD = 0x10000 };

struct thread_record {
    EVENT_HEADER;
    struct process process; /* who makes it */
    u32 thread;             /* of the maker */
    u32 new_thread;
    u32 new_process;
    u32 is_thread;
    u64 flags;
};

RECORD(thread_record);

SEC("tp_btf/task_newtask")
int BPF_PROG(thread_made, struct task_struct *task, u64 flags) {
    u64 container = scope_current();
    if (!container) return 0;
    if (threads_only && !(flags & CLONE_THREAD)) return 0;
    if (!sampled(container)) return 0;
    struct thread_record record = {.time = bpf_ktime_get_ns(), .container = container};
    process_current(&record.process);
    record.thread = bpf_get_current_pid_tgid();
    record.new_thread = task->pid;
    record.new_process = task->tgid;
    record.is_thread = !!(flags & CLONE_THREAD);
    record.flags = flags;
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
