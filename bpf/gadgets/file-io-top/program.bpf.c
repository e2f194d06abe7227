/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* file-io-top: which files are read and written how much, by whom. */
#include "file_io.bpf.h"
#include "map_entry.bpf.h"

struct file_key {
    u64 container;
    struct process process;
    char file[FILE_NAME_LIMIT];
    u64 inode;
    u32 writes;
    u32 cpu; /* rows that differ in it alone fold when they are read */
};

struct file_usage {
    u64 calls;
    u64 bytes;
    u64 total_ns;
    u64 max_ns;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct file_key);
    __type(value, struct file_usage);
} usages SEC(".maps");

static const struct file_usage nothing = {};

static __always_inline void ended(struct exit_args *args, struct file_io *io) {
    struct file_key key = {
        .container = io->container, .writes = io->writes, .cpu = bpf_get_smp_processor_id()};
    process_current(&key.process);
    if (!is_wanted_process(&key.process)) return;
    file_name(key.file, sizeof(key.file), io->file);
    struct file *file = io->file; /* CO-RE would relocate our own struct too */
    key.inode = BPF_CORE_READ(file, f_inode, i_ino);
    struct file_usage *usage = map_entry(&usages, &key, &nothing, io->container);
    if (!usage) return;
    usage->calls++;
    usage->bytes += io->bytes;
    usage->total_ns += io->took;
    if (io->took > usage->max_ns) usage->max_ns = io->took;
}

FILE_IO_PROGRAMS(ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
