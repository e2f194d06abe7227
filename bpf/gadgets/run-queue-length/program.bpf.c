/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* run-queue-length: how many threads wait behind one in scope, looked at again and again. Of the group that
 * the scheduler has for it: with a CPU controller for each pod, the pod's own. */
#include "histogram.bpf.h"
#include "map_entry.bpf.h"
#include "process.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct cfs_rq {
    unsigned int nr_running;
};

/* 6.14 */
struct cfs_rq___queued {
    unsigned int nr_queued;
};
#pragma clang attribute pop

struct length_key {
    u64 container;
    u32 cpu;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct length_key);
    __type(value, struct histogram);
} lengths SEC(".maps");

SEC("perf_event")
int look(void *ctx) {
    u64 container = scope_current();
    if (!container || !sampled(container)) return 0;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct cfs_rq *queue = BPF_CORE_READ(task, se.cfs_rq);
    u32 length;
    struct cfs_rq___queued *queued = (void *)queue;
    if (bpf_core_field_exists(queued->nr_queued))
        length = BPF_CORE_READ(queued, nr_queued);
    else
        length = BPF_CORE_READ(queue, nr_running);
    if (length) length--; /* the one that runs */
    struct length_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    struct histogram *histogram = map_entry(&lengths, &key, &histogram_empty, container);
    if (!histogram) return 0;
    u32 bucket = length < HISTOGRAM_BUCKETS ? length : HISTOGRAM_BUCKETS - 1;
    barrier_var(bucket);
    histogram->buckets[bucket & (HISTOGRAM_BUCKETS - 1)]++; /* for verifiers before 6.2 or so */
    histogram->total += length;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
