/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* sync-calls: who waits for the disk by asking for it. gadget.ts beside it says at which calls. */
#include "files.bpf.h"
#include "syscalls.bpf.h"

#define NAME_LIMIT 256 /* NAME_MAX with its NUL */

/* Knobs. */
const volatile u64 minimum_ns = 0;

struct sync_record {
    CALL_HEADER;
    u64 duration_ns;
    s32 fd; /* -1: the call has none */
    struct text file;
    char tail[NAME_LIMIT];
};

SCRATCH(sync_scratch, struct sync_record);

SEC("tracepoint")
int sync_enter(void *ctx) {
    call_enters();
    return 0;
}

static __always_inline int record_sync(struct exit_args *args, const bool has_file) {
    u64 container = call_ends(args);
    if (!container) return 0;
    u64 took = call_took();
    if (took < minimum_ns) return 0;
    struct sync_record *record = sync_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return 0;
    record->duration_ns = took;
    record->fd = -1;
    long length = 0;
    if (has_file) {
        record->fd = SYSCALL_ARGUMENT_1(current_registers());
        length = file_name(record->tail, NAME_LIMIT, file_of(record->fd));
    }
    u32 used = length > 0 ? length - 1 : 0;
    if (used >= NAME_LIMIT) used = 0; /* for the verifier */
    record->file.offset = __builtin_offsetof(struct sync_record, tail);
    record->file.length = used;
    call_emit(record, used);
    return 0;
}

SEC("tracepoint")
int sync_exit(struct exit_args *args) {
    return record_sync(args, false);
}

SEC("tracepoint")
int sync_file_exit(struct exit_args *args) {
    return record_sync(args, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
