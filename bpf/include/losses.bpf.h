/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What was seen and not recorded, counted for the container whose it is; sampling, when the job is over its
 * budget. Every object has this map. */
#pragma once

#include "scope.bpf.h"

/* As in results/shape.ts LossReason, in its order. */
enum loss_reason {
    LOSS_RING_FULL,
    LOSS_MAP_FULL,
    LOSS_BUDGET,
    LOSS_SAMPLED,
    LOSS_STACK_UNAVAILABLE,
    LOSS_DISK_FULL,
    LOSS_RATE,
};

struct loss_key {
    u64 container;
    u32 reason;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct loss_key);
    __type(value, u64);
} losses SEC(".maps");

/** Counts something seen but not recorded, for the container whose it is. */
static __always_inline void count_loss(u64 container, enum loss_reason reason) {
    struct loss_key key = {.container = container, .reason = reason};
    u64 zero = 0;
    u64 *count = bpf_map_lookup_elem(&losses, &key);
    if (!count) {
        bpf_map_update_elem(&losses, &key, &zero, BPF_NOEXIST);
        count = bpf_map_lookup_elem(&losses, &key);
    }
    if (count) __sync_fetch_and_add(count, 1);
}

/** True when this event shall be recorded: the job is not stopped, and sampling took it. Called once per
 * event, after the scope test. */
static __always_inline bool sampled(u64 container) {
    u32 every = job_sample_every;
    if (!job_stopped && (every <= 1 || bpf_get_prandom_u32() % every == 0)) return true;
    struct scope_hits *here = scope_hits_here();
    if (here) here->skipped++;
    count_loss(container, job_stopped ? LOSS_BUDGET : LOSS_SAMPLED);
    return false;
}
