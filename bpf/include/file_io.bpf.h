/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Reads and writes of files by system calls, timed. What is common to the gadgets about them: bpf/file-io.ts
 * says at which calls. */
#pragma once

#include "files.bpf.h"
#include "syscalls.bpf.h"

#define FILE_NAME_LIMIT 64

/* Knobs. */
const volatile u64 minimum_ns = 0;
const volatile bool all_files = false; /* not only regular ones */

struct file_io {
    u64 container;
    u64 bytes;
    u64 took;
    u32 fd;
    bool writes;
    struct file *file;
};

/** A call that ends, in scope, of a file that is wanted, that took long enough; false: none of these. */
static __always_inline bool file_io_ends(struct file_io *io, struct exit_args *args, const bool writes) {
    u64 container = scope_current();
    if (!container) return false;
    u64 took = call_took();
    if (took < minimum_ns || !is_wanted_result(args->result)) return false;
    u32 fd = SYSCALL_ARGUMENT_1(current_registers());
    struct file *file = file_of(fd);
    if (!file) return false;
    if (!all_files && (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG) return false;
    if (!sampled(container)) return false;
    io->container = container;
    io->bytes = args->result > 0 ? args->result : 0;
    io->took = took;
    io->fd = fd;
    io->writes = writes;
    io->file = file;
    return true;
}

/** The programs that bpf/file-io.ts attaches. ended(struct exit_args *, struct file_io *): what the gadget
 * does. */
#define FILE_IO_PROGRAMS(ended)                               \
    SEC("tracepoint")                                         \
    int file_io_enter(void *ctx) {                            \
        call_enters();                                        \
        return 0;                                             \
    }                                                         \
    SEC("tracepoint")                                         \
    int file_read_exit(struct exit_args *args) {              \
        struct file_io io = {};                               \
        if (file_io_ends(&io, args, false)) ended(args, &io); \
        return 0;                                             \
    }                                                         \
    SEC("tracepoint")                                         \
    int file_write_exit(struct exit_args *args) {             \
        struct file_io io = {};                               \
        if (file_io_ends(&io, args, true)) ended(args, &io);  \
        return 0;                                             \
    }
