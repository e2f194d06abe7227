/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* tcp-connections: every TCP connection that ends, with what went over it. gadget.ts beside it declares the
 * columns.
 *
 * One probe, at changes of a socket's state. Whoever runs then may be anybody (on loopback a server's changes
 * happen while its client runs), so the scope is the socket's own, and a process is only taken from the
 * current task at changes that its owner makes by a call: connect, listen, close, shutdown. */
#include "events.bpf.h"
#include "tcp.bpf.h"

/* Knobs. Empty or 0: everything. */
const volatile u64 minimum_ns = 0;
const volatile u32 only_family = 0;
const volatile u32 only_direction = 0;

enum { SOCK_DONE_BIT = 1 };
enum { EPIPE = 32, ECONNRESET = 104, ETIMEDOUT = 110, ECONNREFUSED = 111 };

enum direction { DIRECTION_UNKNOWN, DIRECTION_OUTBOUND, DIRECTION_INBOUND };
enum ending { ENDED_CLOSED = 1, ENDED_RESET, ENDED_ABORTED, ENDED_TIMED_OUT, ENDED_REFUSED, ENDED_FAILED };

struct connection_record {
    EVENT_HEADER;
    struct process process; /* pid 0: not known */
    struct endpoints ends;
    u32 direction;
    u32 ended;
    u32 retransmits;
    u64 sent_bytes;
    u64 received_bytes;
    u64 duration_ns; /* 0: opened before the job */
};

RECORD(connection_record);

/* What a socket can't tell at its end. */
struct connection {
    u64 opened; /* 0: before the job */
    u64 container;
    u32 direction;
    u32 reserved;
    struct process process;
};

/* Cloned: an accepted socket has its listener's, in the moment it is made. */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, struct connection);
} connections SEC(".maps");

/* 5.10, whose tracing programs can't use socket storage: by the socket's address. Nothing is inherited there.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, struct connection);
} connections_by_address SEC(".maps");

/* 5.11 let tracing programs use socket storage, and brought them task storage. */
#define HAVE_SOCKET_STORAGE HAVE_TASK_STORAGE

static __always_inline struct connection *connection_find(struct sock *sk) {
    if (HAVE_SOCKET_STORAGE) return bpf_sk_storage_get(&connections, sk, NULL, 0);
    u64 key = (u64)sk;
    return bpf_map_lookup_elem(&connections_by_address, &key);
}

static __always_inline struct connection *connection_make(struct sock *sk, u64 container) {
    struct connection *found = connection_find(sk);
    if (!found) {
        struct connection fresh = {.container = container};
        if (HAVE_SOCKET_STORAGE) {
            found = bpf_sk_storage_get(&connections, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
        } else {
            u64 key = (u64)sk;
            bpf_map_update_elem(&connections_by_address, &key, &fresh, BPF_NOEXIST);
            found = bpf_map_lookup_elem(&connections_by_address, &key);
        }
    }
    if (!found && container) count_loss(container, LOSS_MAP_FULL);
    return found;
}

static __always_inline void connection_forget(struct sock *sk) {
    if (HAVE_SOCKET_STORAGE) {
        bpf_sk_storage_delete(&connections, sk);
        return;
    }
    u64 key = (u64)sk;
    bpf_map_delete_elem(&connections_by_address, &key);
}

static __always_inline void connection_opened(struct connection *connection, bool accepted) {
    connection->opened = bpf_ktime_get_ns();
    connection->direction = accepted ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
}

/** The socket's scope. Sockets of process trees know their cgroup but not their tree, which is kept with
 * them. An accepted one whose listener nobody saw waits, unclaimed, until its owner makes a call. */
static __always_inline u64 scope_connection(struct sock *sk, bool accepted, int to) {
    u64 container = scope_sock(sk);
    if (!scope_by_process || container) return container;
    struct connection *known = connection_find(sk);
    if (known && known->container) return scope_counted(known->container);
    if (accepted) {
        struct connection *unclaimed = connection_make(sk, 0);
        if (unclaimed) connection_opened(unclaimed, true);
        return 0;
    }
    if (!owner_runs(to)) return 0;
    container = scope_process(bpf_get_current_pid_tgid() >> 32);
    if (known) known->container = container;
    return scope_counted(container);
}

/** Names the current process as the connection's. One from outside the scope (a socket that was handed on)
 * stays unnamed. */
static __always_inline void connection_owned(struct connection *connection, u64 container) {
    if (scope_current_uncounted() == container) process_current(&connection->process);
}

static __always_inline u32 ending_of(struct sock *sk, int from) {
    switch (BPF_CORE_READ(sk, sk_err)) {
        case 0:
            break;
        case ECONNRESET:
        case EPIPE:
            return ENDED_RESET;
        case ECONNREFUSED:
            return ENDED_REFUSED;
        case ETIMEDOUT:
            return ENDED_TIMED_OUT;
        default:
            return ENDED_FAILED;
    }
    /* Both sides said that they were done; or one hung up in the middle, without an error on its side. */
    return from == TCP_FIN_WAIT2 || from == TCP_LAST_ACK || from == TCP_CLOSING || from == TCP_TIME_WAIT
               ? ENDED_CLOSED
               : ENDED_ABORTED;
}

static __always_inline void connection_ended(struct sock *sk, int from, u64 container,
                                             const struct connection *known) {
    struct connection_record record = {};
    endpoints_of(&record.ends, sk);
    if (!is_wanted_port(&record.ends)) return;
    if (only_family && family_of(&record.ends) != only_family) return;

    record.time = bpf_ktime_get_ns();
    if (known) {
        record.direction = known->direction;
        record.process = known->process;
        if (known->opened) record.duration_ns = record.time - known->opened;
    }
    if (only_direction && record.direction != only_direction) return;
    if (record.duration_ns < minimum_ns) return;
    if (!sampled(container)) return;

    struct tcp_sock *tcp = (struct tcp_sock *)sk;
    record.container = container;
    record.ended = ending_of(sk, from);
    record.retransmits = BPF_CORE_READ(tcp, total_retrans);
    record.sent_bytes = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
    /* The peer's FIN took a number in the sequence, and is counted like a byte. */
    record.received_bytes = BPF_CORE_READ(tcp, bytes_received);
    if (BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE_BIT & 1 && record.received_bytes)
        record.received_bytes--;
    emit(&record, sizeof(record));
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connection_state, struct sock *sk, int from, int to) {
    if (sk->sk_protocol != IPPROTO_TCP || from == to) return 0;
    bool accepted = from == TCP_LISTEN && to == TCP_SYN_RECV; /* a copy of its listener */
    u64 container = scope_connection(sk, accepted, to);
    if (to == TCP_CLOSE) {
        if (container && from != TCP_LISTEN) connection_ended(sk, from, container, connection_find(sk));
        if (container || scope_by_process) connection_forget(sk);
        return 0;
    }
    if (!container || (!accepted && !owner_runs(to))) return 0;
    struct connection *connection = connection_make(sk, container);
    if (!connection) return 0;
    if (accepted || to == TCP_SYN_SENT) connection_opened(connection, accepted);
    /* Who connected; who listened, until somebody closes what was accepted: that is who served it. */
    if (to == TCP_SYN_SENT || (!accepted && connection->direction != DIRECTION_OUTBOUND))
        connection_owned(connection, container);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
