/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records on their way to the agent: what every record begins with, variable text, the ring, its fair shares,
 * and the count of what was lost.
 *
 *     struct open { EVENT_HEADER; struct process process; s32 errno; struct text path; char tail[PATH_LIMIT];
 * }; SCRATCH(open_scratch, struct open);
 *
 * A record is built in per-CPU scratch and copied with its exact length. Programs that can interrupt each
 * other (a call's exit, an interrupt's sched_*) need a scratch each. */
#pragma once

#include "losses.bpf.h"
#include "process.bpf.h"

/** The first members of every record. id: of what the record and its completion (kind 1) have in common; 0
 * where there is none. */
#define EVENT_HEADER \
    u64 time;        \
    u64 container;   \
    u64 id;          \
    u32 kind;        \
    u32 reserved

struct event_header {
    EVENT_HEADER;
};

/** Text in the record's tail, not ended by a NUL. offset: from the record's first byte. */
struct text {
    u16 offset;
    u16 length;
};

/** Keeps a record's struct in the object's BTF where no map has it as its value (built on the stack, like
 * most completions). */
#define RECORD(record_type) struct record_type *record_type##_layout __attribute__((unused))

/** Per-CPU room to build a record of this type in; name##_get() gives it. */
#define SCRATCH(name, record_type)                         \
    struct {                                               \
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);           \
        __uint(max_entries, 1);                            \
        __type(key, u32);                                  \
        __type(value, record_type);                        \
    } name SEC(".maps");                                   \
    static __always_inline record_type *name##_get(void) { \
        u32 zero = 0;                                      \
        return bpf_map_lookup_elem(&name, &zero);          \
    }

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

/* Fair shares. Up to half full the ring is anybody's. Above, each container may add only its part of the
 * upper half until the reader has passed the point where its count began: then it counts anew. Two such spans
 * can lie in the ring at once, so a part is a quarter of the ring by the number of containers; together they
 * never exceed the upper half, so who stays within its part loses nothing. */
struct ring_share {
    u64 mark; /* producer's position when the count began */
    u64 bytes;
};

/* LRU: a container that is started again and again leaves a share behind each time. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, u64);
    __type(value, struct ring_share);
} ring_shares SEC(".maps");

static __noinline bool ring_share_left(u64 container, u32 length, u64 size) {
    u64 part = size / 4 / (job_containers ?: 1);
    struct ring_share *share = bpf_map_lookup_elem(&ring_shares, &container);
    if (!share) {
        struct ring_share fresh = {.mark = bpf_ringbuf_query(&events, BPF_RB_PROD_POS), .bytes = length};
        bpf_map_update_elem(&ring_shares, &container, &fresh, BPF_NOEXIST);
        return true;
    }
    if (bpf_ringbuf_query(&events, BPF_RB_CONS_POS) >= share->mark) {
        share->mark = bpf_ringbuf_query(&events, BPF_RB_PROD_POS);
        share->bytes = 0;
    }
    if (share->bytes + length > part) return false;
    __sync_fetch_and_add(&share->bytes, length);
    return true;
}

/** Hands a record over; what doesn't fit is counted for its container. Never wakes the reader: the agent
 * drains on a timer. */
static __always_inline void emit(void *record, u32 length) {
    struct event_header *header = record;
    if (job_containers > 1) {
        u64 size = bpf_ringbuf_query(&events, BPF_RB_RING_SIZE);
        if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > size / 2 &&
            !ring_share_left(header->container, length, size)) {
            count_loss(header->container, LOSS_RATE);
            return;
        }
    }
    if (bpf_ringbuf_output(&events, record, length, BPF_RB_NO_WAKEUP))
        count_loss(header->container, LOSS_RING_FULL);
}
