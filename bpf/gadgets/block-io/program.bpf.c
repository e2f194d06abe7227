/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* block-io: each request to a disk, with how long it waited and how long the disk took. */
#include "block.bpf.h"
#include "events.bpf.h"

/* Knobs. */
const volatile u64 minimum_ns = 0;

struct block_record {
    EVENT_HEADER;
    struct process process;
    char disk[32];
    u64 sector;
    u64 size_bytes;
    u64 queued_ns;
    u64 latency_ns;
    u32 operation;
    u32 failed;
};

RECORD(block_record);

static __always_inline void begun(void *ctx, struct block_request *request) {}

static __always_inline void ended(struct block_request *request) {
    u64 now = bpf_ktime_get_ns();
    if (now - request->started < minimum_ns || !sampled(request->container)) return;
    struct block_record record = {.time = now, .container = request->container};
    record.process = request->process;
    __builtin_memcpy(record.disk, request->disk, sizeof(record.disk));
    record.sector = request->sector;
    record.size_bytes = request->bytes;
    record.queued_ns = request->issued ? request->issued - request->started : 0;
    record.latency_ns = now - request->started;
    record.operation = request->operation;
    record.failed = request->failed;
    emit(&record, sizeof(record));
}

BLOCK_PROGRAMS(begun, ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
