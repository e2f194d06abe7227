/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Block I/O requests from their start to their end: whose they are is known at the start, when the one that
 * asks for them runs (later it may be a kernel thread), and kept until the end.
 *
 * Written data that is not waited for is started by the kernel's writeback, not by who wrote it: in scope
 * only where blkio is a cgroup2 controller, which then charges the right group. */
#pragma once

#include "losses.bpf.h"
#include "process.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct gendisk {
    int major;
    int first_minor;
    char disk_name[32];
};

struct request_queue {
    struct gendisk *disk; /* 5.15 */
};

struct request {
    struct request_queue *q;
    unsigned int cmd_flags;
    unsigned int __data_len;
    u64 __sector;
    struct bio *bio;
};

/* Until 5.16. */
struct request___disk {
    struct gendisk *rq_disk;
};
#pragma clang attribute pop

/* Its columns: bpf/block.ts. */
struct block_request {
    u64 container;
    u64 started; /* CLOCK_MONOTONIC; 0: seen first when it was given to the disk */
    u64 issued;
    u64 sector;
    u32 bytes;
    u32 operation; /* REQ_OP_… */
    u32 failed;
    u32 reserved;
    struct process process;
    char disk[32];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, u64);
    __type(value, struct block_request);
} requests SEC(".maps");

static __always_inline void disk_name(char *to, struct request *request) {
    struct request___disk *old = (void *)request;
    struct gendisk *disk =
        bpf_core_field_exists(old->rq_disk) ? BPF_CORE_READ(old, rq_disk) : BPF_CORE_READ(request, q, disk);
    bpf_probe_read_kernel_str(to, 32, BPF_CORE_READ(disk, disk_name));
}

/** Begins: in scope or not. At tp_btf/block_io_start, or where there is none at block_rq_insert and
 * block_rq_issue, whichever comes first. */
static __always_inline struct block_request *block_started(struct request *request) {
    u64 key = (u64)request;
    u64 container = scope_bio(BPF_CORE_READ(request, bio));
    if (!container) return NULL;
    struct block_request fresh = {.container = container, .started = bpf_ktime_get_ns()};
    fresh.sector = BPF_CORE_READ(request, __sector);
    fresh.bytes = BPF_CORE_READ(request, __data_len);
    fresh.operation = BPF_CORE_READ(request, cmd_flags) & 0xff;
    process_current(&fresh.process);
    disk_name(fresh.disk, request);
    if (bpf_map_update_elem(&requests, &key, &fresh, BPF_ANY)) {
        count_loss(container, LOSS_MAP_FULL);
        return NULL;
    }
    return bpf_map_lookup_elem(&requests, &key);
}

/** Given to the disk: what came before was waiting in the queue. Its size is known for certain now (merged).
 */
static __always_inline void block_issued(struct request *request) {
    u64 key = (u64)request;
    struct block_request *found = bpf_map_lookup_elem(&requests, &key);
    if (!found) return;
    if (!found->issued) found->issued = bpf_ktime_get_ns();
    found->bytes = BPF_CORE_READ(request, __data_len);
}

static __always_inline void block_failed(struct request *request) {
    u64 key = (u64)request;
    struct block_request *found = bpf_map_lookup_elem(&requests, &key);
    if (found) found->failed = 1;
}

/** Ends; NULL: not in scope. Call block_forget after it. */
static __always_inline struct block_request *block_ended(struct request *request) {
    u64 key = (u64)request;
    count_hit();
    struct block_request *found = bpf_map_lookup_elem(&requests, &key);
    if (found) count_scoped();
    return found;
}

static __always_inline void block_forget(struct request *request) {
    u64 key = (u64)request;
    bpf_map_delete_elem(&requests, &key);
}

/* Until 5.11 the queue came first. */
typedef void (*btf_trace_block_rq_issue)(void *, struct request *);

static __always_inline struct request *block_argument(u64 *ctx) {
    return (struct request *)(bpf_core_type_matches(btf_trace_block_rq_issue) ? ctx[0] : ctx[1]);
}

/** The programs that bpf/block.ts attaches. started(ctx, struct block_request *), ended(struct block_request
 * *, result): what the gadget does. */
#define BLOCK_PROGRAMS(started, ended)                                                \
    static __always_inline void block_begin(void *ctx, struct request *request) {     \
        struct block_request *made = block_started(request);                          \
        if (made) started(ctx, made);                                                 \
    }                                                                                 \
    static __always_inline void block_end(struct request *request, s32 status) {      \
        struct block_request *found = block_ended(request);                           \
        if (!found) return;                                                           \
        if (status) found->failed = 1;                                                \
        ended(found);                                                                 \
        block_forget(request);                                                        \
    }                                                                                 \
    /* 6.5, in the context of who asks */                                             \
    SEC("tp_btf/block_io_start")                                                      \
    int BPF_PROG(block_io_began, struct request *request) {                           \
        block_begin(ctx, request);                                                    \
        return 0;                                                                     \
    }                                                                                 \
    SEC("tp_btf/block_rq_issue")                                                      \
    int block_io_issued(u64 *ctx) {                                                   \
        block_issued(block_argument(ctx));                                            \
        return 0;                                                                     \
    }                                                                                 \
    SEC("tp_btf/block_rq_insert")                                                     \
    int block_queue_began(u64 *ctx) {                                                 \
        block_begin(ctx, block_argument(ctx));                                        \
        return 0;                                                                     \
    }                                                                                 \
    SEC("tp_btf/block_rq_issue")                                                      \
    int block_queue_issued(u64 *ctx) {                                                \
        u64 key = (u64)block_argument(ctx);                                           \
        if (!bpf_map_lookup_elem(&requests, &key)) block_begin(ctx, (void *)key);     \
        block_issued((void *)key);                                                    \
        return 0;                                                                     \
    }                                                                                 \
    /* Once for a request, where block_rq_complete comes once for each part of it. */ \
    SEC("tp_btf/block_io_done")                                                       \
    int BPF_PROG(block_io_ended, struct request *request) {                           \
        block_end(request, 0);                                                        \
        return 0;                                                                     \
    }                                                                                 \
    SEC("tp_btf/block_rq_error")                                                      \
    int BPF_PROG(block_io_failed, struct request *request) {                          \
        block_failed(request);                                                        \
        return 0;                                                                     \
    }                                                                                 \
    SEC("tp_btf/block_rq_complete")                                                   \
    int BPF_PROG(block_queue_ended, struct request *request, int status) {            \
        block_end(request, status);                                                   \
        return 0;                                                                     \
    }
