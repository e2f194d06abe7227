/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* tcp-retransmits: every segment that is sent again. */
#include "events.bpf.h"
#include "tcp.bpf.h"

struct retransmit_record {
    EVENT_HEADER;
    struct endpoints ends;
    u32 state;
    u64 rtt_ns;
    u32 window_segments; /* the congestion window */
    u32 retransmits;     /* of the connection, this one included */
};

RECORD(retransmit_record);

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(retransmit_owner, struct sock *sk, int from, int to) {
    if (owner_runs(to)) scope_sock_adopt(sk);
    if (to == TCP_CLOSE) scope_sock_forget(sk);
    return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmitted, struct sock *sk) {
    u64 container = scope_sock(sk);
    if (!container) return 0;
    struct retransmit_record record = {.time = bpf_ktime_get_ns(), .container = container};
    endpoints_of(&record.ends, sk);
    if (!is_wanted_port(&record.ends) || !sampled(container)) return 0;
    struct tcp_sock *tcp = (struct tcp_sock *)sk;
    record.state = sk->__sk_common.skc_state;
    record.rtt_ns = (u64)BPF_CORE_READ(tcp, srtt_us) * 125;
    record.window_segments = BPF_CORE_READ(tcp, snd_cwnd);
    record.retransmits = BPF_CORE_READ(tcp, total_retrans);
    emit(&record, sizeof(record));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
