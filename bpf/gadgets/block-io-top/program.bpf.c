/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* block-io-top: who uses the disks how much: requests, bytes, time, and how many of them were sequential. */
#include "block.bpf.h"
#include "map_entry.bpf.h"

struct usage_key {
    u64 container;
    struct process process;
    char disk[32];
    u32 operation;
    u32 cpu; /* rows that differ in it alone fold when they are read */
};

struct usage {
    u64 requests;
    u64 bytes;
    u64 total_ns;
    u64 max_ns;
    u64 max_bytes;
    u64 sequential;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct usage_key);
    __type(value, struct usage);
} usages SEC(".maps");

struct place_key {
    u64 container;
    char disk[32];
};

/* Where the last request of a container on a disk ended. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct place_key);
    __type(value, u64);
} places SEC(".maps");

static const struct usage nothing = {};

static __always_inline void begun(void *ctx, struct block_request *request) {}

static __always_inline void ended(struct block_request *request) {
    if (!sampled(request->container)) return;
    u64 took = bpf_ktime_get_ns() - request->started;
    struct usage_key key = {.container = request->container,
                            .process = request->process,
                            .operation = request->operation,
                            .cpu = bpf_get_smp_processor_id()};
    __builtin_memcpy(key.disk, request->disk, sizeof(key.disk));
    struct usage *usage = map_entry(&usages, &key, &nothing, request->container);
    if (!usage) return;
    /* A disk's interrupt can come while a request is ended in a task or a soft interrupt. */
    __sync_fetch_and_add(&usage->requests, 1);
    __sync_fetch_and_add(&usage->bytes, request->bytes);
    __sync_fetch_and_add(&usage->total_ns, took);
    if (took > usage->max_ns) usage->max_ns = took;
    if (request->bytes > usage->max_bytes) usage->max_bytes = request->bytes;
    if (!request->bytes) return; /* a flush is nowhere */
    struct place_key place = {.container = request->container};
    __builtin_memcpy(place.disk, request->disk, sizeof(place.disk));
    u64 *last = bpf_map_lookup_elem(&places, &place);
    if (last && *last == request->sector) __sync_fetch_and_add(&usage->sequential, 1);
    u64 end = request->sector + request->bytes / 512;
    bpf_map_update_elem(&places, &place, &end, BPF_ANY);
}

BLOCK_PROGRAMS(begun, ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
