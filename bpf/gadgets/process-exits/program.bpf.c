/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* process-exits: each process that ends, with how and how long it lived. */
#include "events.bpf.h"

/* Knobs. */
const volatile bool failed_only = false;

enum { SIGNAL_GROUP_EXIT = 4, DUMPED_CORE = 0x80 };

struct exit_record {
    EVENT_HEADER;
    struct process process;
    struct process parent;
    u32 uid;
    s32 exit_code; /* of one that ended by itself */
    u32 signal;    /* 0: ended by itself */
    u32 by_itself;
    u32 core_dumped;
    u32 reserved2;
    u64 lifetime_ns;
};

RECORD(exit_record);

/* Processes whose last thread was seen: two last threads can both see no other alive. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, u8);
} ended SEC(".maps");

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_ended, struct task_struct *task) {
    if (task->signal->live.counter != 0) {
        count_hit();
        return 0; /* other threads go on */
    }
    u64 container = scope_task(task);
    if (!container) return 0;
    struct task_struct *leader = task->group_leader;
    u64 incarnation = leader->start_time ^ (u64)task->tgid << 40;
    u8 yes = 1;
    if (bpf_map_update_elem(&ended, &incarnation, &yes, BPF_NOEXIST)) return 0;
    /* As wait() does it: a process that was told to end has the group's status, else it is its first
     * thread's. */
    u32 status = task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code : leader->exit_code;
    if (failed_only && !status) return 0;
    if (!sampled(container)) return 0;
    struct exit_record record = {.time = bpf_ktime_get_ns(), .container = container};
    process_of(&record.process, task);
    process_of(&record.parent, task->real_parent);
    record.uid = task->cred->uid.val;
    record.signal = status & 0x7f;
    record.by_itself = !record.signal;
    record.exit_code = status >> 8 & 0xff;
    record.core_dumped = !!(status & DUMPED_CORE);
    record.lifetime_ns = record.time - leader->start_time;
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
