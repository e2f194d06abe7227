/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* file-io-latency: how long reads and writes of files take. */
#include "file_io.bpf.h"
#include "histogram.bpf.h"

/* Knobs. */
const volatile bool by_process = false;

struct latency_key {
    u64 container;
    struct process process;
    u32 writes;
    u32 cpu;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct latency_key);
    __type(value, struct histogram);
} latencies SEC(".maps");

static __always_inline void ended(struct exit_args *args, struct file_io *io) {
    struct latency_key key = {
        .container = io->container, .writes = io->writes, .cpu = bpf_get_smp_processor_id()};
    struct process process;
    process_current(&process);
    if (!is_wanted_process(&process)) return;
    if (by_process) key.process = process;
    histogram_add(&latencies, &key, io->container, io->took);
}

FILE_IO_PROGRAMS(ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
