/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* mounts: what is mounted, moved and unmounted. gadget.ts beside it says at which calls. */
#include "syscalls.bpf.h"

#define TYPE_LIMIT 64

struct mount_record {
    CALL_HEADER;
    u64 flags;
    struct text source;
    struct text target;
    struct text type;
    u32 reserved2;
    char tail[PATH_LIMIT * 4]; /* source, target, type */
};

SCRATCH(mount_scratch, struct mount_record);

static __always_inline int record_mount(struct exit_args *args, u64 source, u64 target, u64 type, u64 flags) {
    u64 container = call_ends(args);
    if (!container) return 0;
    struct mount_record *record = mount_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return 0;
    record->flags = flags;
    u32 used = CALL_TEXT(record, source, 0, source, PATH_LIMIT, 1);
    used = CALL_TEXT(record, target, used, target, PATH_LIMIT, PATH_LIMIT);
    used = CALL_TEXT(record, type, used, type, TYPE_LIMIT, PATH_LIMIT * 2);
    if (used > PATH_LIMIT * 3) return 0; /* for the verifier */
    call_emit(record, used);
    return 0;
}

SEC("tracepoint")
int mount_exit(struct exit_args *args) {
    struct pt_regs *regs = current_registers();
    return record_mount(args, SYSCALL_ARGUMENT_1(regs), SYSCALL_ARGUMENT_2(regs), SYSCALL_ARGUMENT_3(regs),
                        SYSCALL_ARGUMENT_4(regs));
}

SEC("tracepoint")
int unmount_exit(struct exit_args *args) {
    struct pt_regs *regs = current_registers();
    return record_mount(args, 0, SYSCALL_ARGUMENT_1(regs), 0, SYSCALL_ARGUMENT_2(regs));
}

/* move_mount(from, path, to, path, flags); with empty paths the descriptors say what. */
SEC("tracepoint")
int move_mount_exit(struct exit_args *args) {
    struct pt_regs *regs = current_registers();
    return record_mount(args, SYSCALL_ARGUMENT_2(regs), SYSCALL_ARGUMENT_4(regs), 0,
                        SYSCALL_ARGUMENT_5(regs));
}

/* fsopen(type, flags) begins what fsmount and move_mount end. */
SEC("tracepoint")
int filesystem_open_exit(struct exit_args *args) {
    struct pt_regs *regs = current_registers();
    return record_mount(args, 0, 0, SYSCALL_ARGUMENT_1(regs), SYSCALL_ARGUMENT_2(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
