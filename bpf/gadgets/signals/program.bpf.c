/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* signals: who sent which signal to whom. The subject is whoever gets it: a task killed from outside is what
 * an operator asks about; with by_sender the task that sends it. */
#include "events.bpf.h"

/* Knobs. Empty or 0: everything. */
const volatile bool by_sender = false;
const volatile u64 signals_wanted = 0; /* a bit for each number, from 1 on */

enum { SI_KERNEL = 0x80, SEND_SIG_NOINFO = 0, SEND_SIG_PRIV = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernel_siginfo {
    int si_signo;
    int si_errno;
    int si_code;
};
#pragma clang attribute pop

struct signal_record {
    EVENT_HEADER;
    struct process process; /* who gets it */
    struct process sender;
    u32 signal;
    s32 code;
    u32 result; /* enum of trace/events/signal.h */
    u32 thread; /* of a signal to one thread; 0: to the process */
};

RECORD(signal_record);

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int number, struct kernel_siginfo *info, struct task_struct *task, int group,
             int result) {
    if (signals_wanted && !(signals_wanted >> (number - 1 & 63) & 1)) return 0;
    u64 container = by_sender ? scope_current() : scope_task(task);
    if (!container || !sampled(container)) return 0;
    struct signal_record record = {.time = bpf_ktime_get_ns(), .container = container};
    process_of(&record.process, task);
    process_current(&record.sender);
    record.signal = number;
    /* Instead of an address: from a process without more, or from the kernel. */
    if ((u64)info == SEND_SIG_PRIV)
        record.code = SI_KERNEL;
    else if ((u64)info != SEND_SIG_NOINFO)
        record.code = BPF_CORE_READ(info, si_code);
    record.result = result;
    record.thread = group ? 0 : task->pid;
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
