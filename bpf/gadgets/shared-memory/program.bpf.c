/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* shared-memory: System V segments and memfds. gadget.ts beside it says at which calls. */
#include "syscalls.bpf.h"

#define NAME_LIMIT 256

struct shared_record {
    CALL_HEADER;
    s64 result;
    u64 size_bytes;
    u64 flags;
    s32 segment_key;
    s32 segment;
    u32 command;
    struct text name;
    char tail[NAME_LIMIT];
};

SCRATCH(shared_scratch, struct shared_record);

static __always_inline struct shared_record *begin(struct exit_args *args) {
    u64 container = call_ends(args);
    if (!container) return NULL;
    struct shared_record *record = shared_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return NULL;
    record->result = args->result;
    record->size_bytes = record->flags = 0;
    record->segment_key = record->command = 0;
    record->segment = -1;
    record->name.offset = __builtin_offsetof(struct shared_record, tail);
    record->name.length = 0;
    return record;
}

SEC("tracepoint")
int shared_get_exit(struct exit_args *args) {
    struct shared_record *record = begin(args);
    if (!record) return 0;
    struct pt_regs *regs = current_registers();
    record->segment_key = SYSCALL_ARGUMENT_1(regs);
    record->size_bytes = SYSCALL_ARGUMENT_2(regs);
    record->flags = SYSCALL_ARGUMENT_3(regs);
    record->segment = args->result < 0 ? -1 : args->result;
    call_emit(record, 0);
    return 0;
}

SEC("tracepoint")
int shared_attach_exit(struct exit_args *args) {
    struct shared_record *record = begin(args);
    if (!record) return 0;
    struct pt_regs *regs = current_registers();
    record->segment = SYSCALL_ARGUMENT_1(regs);
    record->flags = SYSCALL_ARGUMENT_3(regs);
    call_emit(record, 0);
    return 0;
}

SEC("tracepoint")
int shared_detach_exit(struct exit_args *args) {
    struct shared_record *record = begin(args);
    if (record) call_emit(record, 0);
    return 0;
}

SEC("tracepoint")
int shared_control_exit(struct exit_args *args) {
    struct shared_record *record = begin(args);
    if (!record) return 0;
    struct pt_regs *regs = current_registers();
    record->segment = SYSCALL_ARGUMENT_1(regs);
    record->command = (SYSCALL_ARGUMENT_2(regs) & 0xff) + 1; /* IPC_64 is a flag beside it; 0: no command */
    call_emit(record, 0);
    return 0;
}

SEC("tracepoint")
int shared_memfd_exit(struct exit_args *args) {
    struct shared_record *record = begin(args);
    if (!record) return 0;
    struct pt_regs *regs = current_registers();
    record->flags = SYSCALL_ARGUMENT_2(regs);
    record->segment = args->result < 0 ? -1 : args->result;
    u32 used = CALL_TEXT(record, name, 0, SYSCALL_ARGUMENT_1(regs), NAME_LIMIT, 1);
    call_emit(record, used);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
