/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* cpu-profile: which functions run, by samples of the stack at a fixed rate. gadget.ts beside it declares the
 * columns. */
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = true;

struct samples {
    u64 samples;
    u64 first; /* CLOCK_MONOTONIC ns: which of a pid's programs it was */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct stack_key);
    __type(value, struct samples);
} profile SEC(".maps");

/* One event per CPU for the whole machine, and the scope test in front: an event per cgroup would tax every
 * context switch between two groups that have nothing to do with the job (0.67 µs, measured). */
SEC("perf_event")
int take_sample(void *ctx) {
    u64 container = scope_current();
    if (!container || !sampled(container)) return 0;
    struct stack_key key = {};
    if (!stack_key_current(&key, ctx, container, user_stacks, kernel_stacks)) return 0;
    struct samples *samples = bpf_map_lookup_elem(&profile, &key);
    if (samples) {
        __sync_fetch_and_add(&samples->samples, 1);
        return 0;
    }
    struct samples one = {.samples = 1, .first = bpf_ktime_get_ns()};
    if (!bpf_map_update_elem(&profile, &key, &one, BPF_NOEXIST)) return 0;
    samples = bpf_map_lookup_elem(&profile, &key);
    if (samples)
        __sync_fetch_and_add(&samples->samples, 1);
    else
        count_loss(container, LOSS_MAP_FULL);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
