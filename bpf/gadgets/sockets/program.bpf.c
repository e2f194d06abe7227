/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* sockets: who binds to an address and who listens. */
#include "files.bpf.h"
#include "syscalls.bpf.h"

#include <bpf/bpf_endian.h>

enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10 };
#if defined(__TARGET_ARCH_x86)
enum { NR_BIND = 49 };
#else
enum { NR_BIND = 200 };
#endif

#define UNIX_PATH_LIMIT 108

struct socket_record {
    CALL_HEADER;
    u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
    u32 port;
    u32 family;
    u32 protocol;
    s32 fd;
    s32 backlog; /* -1: not asked to listen */
    struct text path;
    char tail[UNIX_PATH_LIMIT];
};

SCRATCH(socket_scratch, struct socket_record);

struct address {
    u16 family;
    u16 port; /* network order */
    u32 inet; /* AF_INET; of AF_INET6 the flow */
    u8 inet6[16];
};

static __always_inline void set_inet(struct socket_record *record, u32 address) {
    __builtin_memset(record->address, 0, 10);
    record->address[10] = record->address[11] = 0xff;
    __builtin_memcpy(record->address + 12, &address, 4);
}

/** What was asked for; a bind that failed left nothing in the socket. */
static __always_inline u32 asked_address(struct socket_record *record, u64 user) {
    struct address address = {};
    bpf_probe_read_user(&address, 8, (void *)user);
    record->family = address.family;
    if (address.family == AF_UNIX) {
        u32 used = CALL_TEXT(record, path, 0, user + 2, UNIX_PATH_LIMIT, 1);
        return used;
    }
    record->port = bpf_ntohs(address.port);
    if (address.family == AF_INET) set_inet(record, address.inet);
    if (address.family == AF_INET6) bpf_probe_read_user(record->address, 16, (void *)(user + 8));
    return 0;
}

/** What the socket has: with port 0, the one that the kernel chose. */
static __always_inline void given_address(struct socket_record *record, struct sock *sk) {
    record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
    record->protocol = BPF_CORE_READ(sk, sk_protocol);
    if (record->family != AF_INET && record->family != AF_INET6) return;
    record->port = BPF_CORE_READ(sk, __sk_common.skc_num);
    if (record->family == AF_INET)
        set_inet(record, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
    else
        BPF_CORE_READ_INTO(&record->address, sk, __sk_common.skc_v6_rcv_saddr);
}

SEC("tracepoint")
int socket_exit(struct exit_args *args) {
    u64 container = call_ends(args);
    if (!container) return 0;
    struct socket_record *record = socket_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return 0;
    struct pt_regs *regs = current_registers();
    bool binds = args->number == NR_BIND;
    record->fd = SYSCALL_ARGUMENT_1(regs);
    record->backlog = binds ? -1 : (s32)SYSCALL_ARGUMENT_2(regs);
    record->port = record->family = record->protocol = 0;
    __builtin_memset(record->address, 0, 16);
    record->path.offset = __builtin_offsetof(struct socket_record, tail);
    record->path.length = 0;
    u32 used = binds ? asked_address(record, SYSCALL_ARGUMENT_2(regs)) : 0;
    struct sock *sk = socket_of(file_of(record->fd));
    if (sk && (args->result == 0 || !binds)) given_address(record, sk);
    if (sk && !record->protocol) record->protocol = BPF_CORE_READ(sk, sk_protocol);
    call_emit(record, used);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
