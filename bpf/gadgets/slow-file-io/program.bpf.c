/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* slow-file-io: each read or write of a file that took too long. */
#include "file_io.bpf.h"

struct slow_record {
    CALL_HEADER;
    u64 duration_ns;
    u64 size_bytes;
    u32 fd;
    u32 writes;
    char file[FILE_NAME_LIMIT];
};

SCRATCH(slow_scratch, struct slow_record);

static __always_inline void ended(struct exit_args *args, struct file_io *io) {
    struct slow_record *record = slow_scratch_get();
    if (!record || !call_begin(record, io->container, args->number, args->result)) return;
    record->duration_ns = io->took;
    record->size_bytes = io->bytes;
    record->fd = io->fd;
    record->writes = io->writes;
    __builtin_memset(record->file, 0, sizeof(record->file));
    file_name(record->file, sizeof(record->file), io->file);
    record->time = bpf_ktime_get_ns();
    emit(record, sizeof(*record));
}

FILE_IO_PROGRAMS(ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
