/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* tcp-throughput: bytes that processes hand to TCP connections and take from them. By the calls, in which the
 * owner runs for certain. */
#include "map_entry.bpf.h"
#include "process.bpf.h"
#include "tcp.bpf.h"

/* Knobs. */
const volatile bool by_connection = false;

struct throughput_key {
    u64 container;
    struct process process;
    struct endpoints ends;
    u32 cpu; /* rows that differ in it alone fold when they are read */
};

struct throughput {
    u64 sent_bytes;
    u64 received_bytes;
    u64 sends;
    u64 receives;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct throughput_key);
    __type(value, struct throughput);
} flows SEC(".maps");

static const struct throughput nothing = {};

static __always_inline int count_bytes(struct sock *sk, int bytes, bool sent) {
    u64 container = scope_current();
    if (!container || bytes <= 0) return 0;
    if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP) return 0;
    struct throughput_key key = {.container = container, .cpu = bpf_get_smp_processor_id()};
    endpoints_of(&key.ends, sk);
    if (!is_wanted_port(&key.ends) || !sampled(container)) return 0;
    process_current(&key.process);
    /* Of a client the port is another for each connection, of a server the peer's. */
    if (!by_connection) key.ends.local_port = key.ends.remote_port = 0;
    struct throughput *flow = map_entry(&flows, &key, &nothing, container);
    if (!flow) return 0;
    if (sent) {
        flow->sent_bytes += bytes;
        flow->sends++;
    } else {
        flow->received_bytes += bytes;
        flow->receives++;
    }
    return 0;
}

/* 6.3 */
SEC("tp_btf/sock_send_length")
int BPF_PROG(bytes_sent, struct sock *sk, int result, int flags) {
    return count_bytes(sk, result, true);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(bytes_received, struct sock *sk, int result, int flags) {
    if (flags & 2) return 0; /* MSG_PEEK: they will be taken again */
    return count_bytes(sk, result, false);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(sendmsg_exit, struct sock *sk, void *message, unsigned long size, int result) {
    return count_bytes(sk, result, true);
}

/* Called by everything that takes bytes from a TCP socket, with how many. */
SEC("fentry/tcp_cleanup_rbuf")
int BPF_PROG(bytes_taken, struct sock *sk, int bytes) {
    return count_bytes(sk, bytes, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
