/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* block-io-stacks: which code asks for block I/O, by the time that the disk took for it. */
#include "block.bpf.h"
#include "map_entry.bpf.h"
#include "stacks.bpf.h"

/* Knobs. */
const volatile bool user_stacks = true;
const volatile bool kernel_stacks = true;

struct io {
    u64 first; /* CLOCK_MONOTONIC */
    u64 latency_ns;
    u64 requests;
    u64 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct stack_key);
    __type(value, struct io);
} profile SEC(".maps");

/* A request's key, from its start to its end: by when and where it started, which no two have in common. */
struct start {
    u64 started;
    u64 sector;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct start);
    __type(value, struct stack_key);
} asked SEC(".maps");

static __always_inline void begun(void *ctx, struct block_request *request) {
    if (!sampled(request->container)) return;
    struct start start = {.started = request->started, .sector = request->sector};
    struct stack_key key = {};
    if (user_stacks && !stack_take(ctx, BPF_F_USER_STACK, request->container, &key.user_stack)) return;
    if (kernel_stacks && !stack_take(ctx, 0, request->container, &key.kernel_stack)) return;
    stack_key_begin(&key, request->container);
    if (bpf_map_update_elem(&asked, &start, &key, BPF_ANY)) count_loss(request->container, LOSS_MAP_FULL);
}

static __always_inline void ended(struct block_request *request) {
    struct start start = {.started = request->started, .sector = request->sector};
    struct stack_key *key = bpf_map_lookup_elem(&asked, &start);
    if (!key) return;
    struct io *io = map_entry(&profile, key, (&(struct io){.first = request->started}), request->container);
    if (io) {
        __sync_fetch_and_add(&io->latency_ns, bpf_ktime_get_ns() - request->started);
        __sync_fetch_and_add(&io->requests, 1);
        __sync_fetch_and_add(&io->bytes, request->bytes);
    }
    bpf_map_delete_elem(&asked, &start);
}

BLOCK_PROGRAMS(begun, ended)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
