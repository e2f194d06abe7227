/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* tcp-rtt: the smoothed round trip time of connections, each time a packet comes in on an established one. */
#include "histogram.bpf.h"
#include "tcp.bpf.h"

/* Knobs. */
const volatile bool by_peer = false;

struct rtt_key {
    u64 container;
    u8 remote_address[16];
    u32 cpu;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct rtt_key);
    __type(value, struct histogram);
} times SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(rtt_owner, struct sock *sk, int from, int to) {
    if (owner_runs(to)) scope_sock_adopt(sk);
    if (to == TCP_CLOSE) scope_sock_forget(sk);
    return 0;
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(rtt_probe, struct sock *sk) {
    u64 container = scope_sock(sk);
    if (!container) return 0;
    u64 rtt = (u64)BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) * 125;
    if (!rtt) return 0;
    struct endpoints ends = {};
    endpoints_of(&ends, sk);
    if (!is_wanted_port(&ends) || !sampled(container)) return 0;
    struct rtt_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    if (by_peer) __builtin_memcpy(key.remote_address, ends.remote_address, 16);
    histogram_add(&times, &key, container, rtt);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
