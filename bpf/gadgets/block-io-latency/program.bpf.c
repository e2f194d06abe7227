/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* block-io-latency: how long requests to disks take, by disk and operation. */
#include "block.bpf.h"
#include "histogram.bpf.h"

/* Knobs. */
const volatile bool without_queue = false;
const volatile bool by_process = false;

struct latency_key {
    u64 container;
    struct process process;
    char disk[32];
    u32 operation;
    u32 cpu;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct latency_key);
    __type(value, struct histogram);
} latencies SEC(".maps");

static __always_inline void begun(void *ctx, struct block_request *request) {}

static __always_inline void ended(struct block_request *request) {
    if (!sampled(request->container)) return;
    u64 from = without_queue && request->issued ? request->issued : request->started;
    struct latency_key key = {
        .container = request->container, .operation = request->operation, .cpu = bpf_get_smp_processor_id()};
    __builtin_memcpy(key.disk, request->disk, sizeof(key.disk));
    if (by_process) key.process = request->process;
    /* A disk's interrupt can come while a request is ended in a task or a soft interrupt. */
    histogram_add_atomic(&latencies, &key, request->container, bpf_ktime_get_ns() - from);
}

BLOCK_PROGRAMS(begun, ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
