/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* stat-calls: every look at a file's metadata by its path. gadget.ts beside it says at which calls. */
#include "syscalls.bpf.h"

struct stat_record {
    CALL_HEADER;
    struct text path;
    u32 reserved2;
    char tail[PATH_LIMIT];
};

SCRATCH(stat_scratch, struct stat_record);

/** newfstatat and statx have a directory first. */
static __always_inline int record_stat(struct exit_args *args, const bool directory_first) {
    u64 container = call_ends(args);
    if (!container) return 0;
    struct stat_record *record = stat_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return 0;
    struct pt_regs *regs = current_registers();
    u64 path = directory_first ? SYSCALL_ARGUMENT_2(regs) : SYSCALL_ARGUMENT_1(regs);
    u32 used = CALL_TEXT(record, path, 0, path, PATH_LIMIT, 1);
    call_emit(record, used);
    return 0;
}

SEC("tracepoint")
int stat_exit(struct exit_args *args) {
    return record_stat(args, false);
}

SEC("tracepoint")
int stat_at_exit(struct exit_args *args) {
    return record_stat(args, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
