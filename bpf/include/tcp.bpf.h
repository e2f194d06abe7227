/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* TCP sockets: their two ends, their states, whose they are in a process tree. */
#pragma once

#include "scope.bpf.h"
#include <bpf/bpf_endian.h>

#define PORTS 16 /* mostPorts of bpf/endpoints.ts */

/* Knobs, as bpf/endpoints.ts sets them. Empty: all. */
const volatile u32 local_port_count = 0;
const volatile u32 remote_port_count = 0;
const volatile u16 local_ports[PORTS] = {};
const volatile u16 remote_ports[PORTS] = {};

enum { AF_INET = 2, AF_INET6 = 10, IPPROTO_TCP = 6 };

enum tcp_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
};

/** Its columns: bpf/endpoints.ts. */
struct endpoints {
    u8 local_address[16]; /* IPv4 as ::ffff:a.b.c.d */
    u8 remote_address[16];
    u16 local_port;
    u16 remote_port;
};

static __always_inline bool has_port(const volatile u16 *ports, u32 count, u16 port) {
    if (!count) return true;
    for (u32 i = 0; i < PORTS; i++)
        if (i < count && ports[i] == port) return true;
    return false;
}

static __always_inline bool is_wanted_port(const struct endpoints *ends) {
    return has_port(local_ports, local_port_count, ends->local_port) &&
           has_port(remote_ports, remote_port_count, ends->remote_port);
}

static __always_inline void mapped_address(u8 *to, u32 address) {
    to[10] = to[11] = 0xff;
    __builtin_memcpy(to + 12, &address, sizeof(address));
}

/** Of a socket whose pointer need not be known to the verifier. ends: zeroed. */
static __always_inline void endpoints_of(struct endpoints *ends, struct sock *sk) {
    ends->local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
    ends->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
    if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
        BPF_CORE_READ_INTO(&ends->local_address, sk, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO(&ends->remote_address, sk, __sk_common.skc_v6_daddr);
        return;
    }
    mapped_address(ends->local_address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
    mapped_address(ends->remote_address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
}

/** AF_INET also of a mapped address in an IPv6 socket. */
static __always_inline u32 family_of(const struct endpoints *ends) {
    const u32 *words = (const u32 *)ends->remote_address;
    return words[0] || words[1] || words[2] != bpf_htonl(0xffff) ? AF_INET6 : AF_INET;
}

/** True at changes of state that the socket's owner makes by a call of its own. */
static __always_inline bool owner_runs(int to) {
    return to == TCP_SYN_SENT || to == TCP_LISTEN || to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK;
}
