/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* tcp-states: every change of a TCP socket's state, with how long it was in the one before. */
#include "events.bpf.h"
#include "tcp.bpf.h"

/* Knobs. */
const volatile u32 states_wanted = 0; /* a bit for each new state; 0: all */

struct state_record {
    EVENT_HEADER;
    struct process process; /* pid 0: whoever runs is not the socket's owner */
    struct endpoints ends;
    u32 from;
    u32 to;
    u32 reserved2;
    u64 duration_ns; /* 0: the state before began before the job */
};

RECORD(state_record);

/* When a socket's state began, by its address. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, u64);
    __type(value, u64);
} since SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_changed, struct sock *sk, int from, int to) {
    if (sk->sk_protocol != IPPROTO_TCP || from == to) return 0;
    if (owner_runs(to)) scope_sock_adopt(sk);
    u64 container = scope_sock(sk);
    if (!container) return 0;
    u64 key = (u64)sk, now = bpf_ktime_get_ns();
    u64 *began = bpf_map_lookup_elem(&since, &key);
    u64 duration = began ? now - *began : 0;
    if (to == TCP_CLOSE) {
        bpf_map_delete_elem(&since, &key);
        scope_sock_forget(sk);
    } else {
        bpf_map_update_elem(&since, &key, &now, BPF_ANY);
    }
    if (states_wanted && !(states_wanted >> (to & 31) & 1)) return 0;
    struct state_record record = {.time = now, .container = container};
    endpoints_of(&record.ends, sk);
    if (!is_wanted_port(&record.ends) || !sampled(container)) return 0;
    record.from = from;
    record.to = to;
    record.duration_ns = duration;
    if (owner_runs(to) && scope_current_uncounted() == container) process_current(&record.process);
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
