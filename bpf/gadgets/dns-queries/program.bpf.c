/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* dns-queries: each question by UDP with its answer. A query is found where its packet is handed to a device,
 * by its socket, which says whose it is; its answer where a device hands a packet in, by the addresses, ports
 * and number that they have in common. Both happen in the pod's own network namespace, before and after
 * whatever translates addresses. */
#include "events.bpf.h"
#include "tcp.bpf.h"

/* Knobs. */
const volatile u16 port = 53;

enum { IPPROTO_UDP = 17, DNS_ANSWER = 0x8000, TYPE_A = 1, TYPE_AAAA = 28, CNAMES = 8 };

#define NAME_LIMIT 256 /* a name has at most 253 characters */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sk_buff {
    struct sock *sk;
    unsigned char *head;
    unsigned char *data;
    u16 network_header;
};
#pragma clang attribute pop

struct dns_record {
    EVENT_HEADER;
    struct process process; /* pid 0: sent by whoever ran for the socket */
    struct endpoints ends;
    u32 number;
    u32 type;
    u32 reserved2;
    struct text name;
    char tail[NAME_LIMIT];
};

struct dns_answer {
    EVENT_HEADER;
    u64 latency_ns;
    u8 address[16]; /* the first of the answer */
    u32 has_address;
    u32 code;
    u32 answers;
    u32 reserved2;
};

SCRATCH(dns_scratch, struct dns_record);
RECORD(dns_answer);

struct question {
    struct endpoints ends; /* as who asks sees them */
    u32 number;
};

struct asked {
    u64 id;
    u64 time;
    u64 container;
};

/* Of those that are answered never, the oldest go. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct question);
    __type(value, struct asked);
} questions SEC(".maps");

struct dns_header {
    u16 number, flags, questions, answers, authorities, additional;
};

struct datagram {
    struct endpoints ends; /* local: the sender */
    const unsigned char *payload;
    u32 length;
    struct dns_header dns;
};

/** An IP packet that is a DNS message by UDP; false: it is none. */
static __always_inline bool read_datagram(struct datagram *found, const unsigned char *ip) {
    u8 start[40];
    struct {
        u16 source, destination, length, checksum;
    } udp;
    u32 header = 40;
    if (bpf_probe_read_kernel(start, 20, ip)) return false;
    if (start[0] >> 4 == 4) {
        if (start[9] != IPPROTO_UDP) return false;
        header = (start[0] & 15) * 4;
        mapped_address(found->ends.local_address, *(u32 *)(start + 12));
        mapped_address(found->ends.remote_address, *(u32 *)(start + 16));
    } else {
        if (start[0] >> 4 != 6 || start[6] != IPPROTO_UDP) return false;
        if (bpf_probe_read_kernel(start + 20, 20, ip + 20)) return false;
        __builtin_memcpy(found->ends.local_address, start + 8, 16);
        __builtin_memcpy(found->ends.remote_address, start + 24, 16);
    }
    if (bpf_probe_read_kernel(&udp, sizeof(udp), ip + header)) return false;
    found->ends.local_port = bpf_ntohs(udp.source);
    found->ends.remote_port = bpf_ntohs(udp.destination);
    if (found->ends.local_port != port && found->ends.remote_port != port) return false;
    found->length = bpf_ntohs(udp.length);
    if (found->length < sizeof(udp) + sizeof(found->dns)) return false;
    found->length -= sizeof(udp);
    found->payload = ip + header + sizeof(udp);
    return !bpf_probe_read_kernel(&found->dns, sizeof(found->dns), found->payload);
}

#define LABELS 40 /* of real names; each of more than that would be three characters or fewer */

/** The first question's name with dots, one before the first label; gives its length, and where what follows
 * it is. By labels and not by bytes, for the verifier. */
static __always_inline u32 read_name(char *to, const struct datagram *from, u32 *end) {
    u32 at = 0;
    u32 size = from->length - sizeof(struct dns_header);
    if (size > NAME_LIMIT - 1) size = NAME_LIMIT - 1;
    if (bpf_probe_read_kernel(to, size & (NAME_LIMIT - 1), from->payload + sizeof(struct dns_header)))
        return 0;
    for (u32 label = 0; label < LABELS; label++) {
        u8 length = to[at & (NAME_LIMIT - 1)];
        if (!length || length >= 64 || at >= size) break; /* the end, or a pointer, which no question has */
        to[at & (NAME_LIMIT - 1)] = '.';
        at = (at + length + 1) & (NAME_LIMIT - 1);
    }
    *end = at + 1;
    return at < size ? at : 0;
}

static __always_inline void swap(struct endpoints *ends, const struct endpoints *from) {
    __builtin_memcpy(ends->local_address, from->remote_address, 16);
    __builtin_memcpy(ends->remote_address, from->local_address, 16);
    ends->local_port = from->remote_port;
    ends->remote_port = from->local_port;
}

/** A question of the scope. */
static __always_inline void record_question(const struct datagram *from, u64 container, bool by_current) {
    if (!is_wanted_port(&from->ends) || !sampled(container)) return;
    struct dns_record *record = dns_scratch_get();
    if (!record) return;
    struct question question = {.ends = from->ends, .number = from->dns.number};
    struct asked asked = {.time = bpf_ktime_get_ns(), .container = container};
    asked.id = asked.time ^ (u64)bpf_get_prandom_u32() << 32;
    /* A packet passes several devices. */
    if (bpf_map_update_elem(&questions, &question, &asked, BPF_NOEXIST)) {
        struct asked *before = bpf_map_lookup_elem(&questions, &question);
        if (before && asked.time - before->time < 1000000) return;
        bpf_map_update_elem(&questions, &question, &asked, BPF_ANY); /* asked again */
    }
    record->time = asked.time;
    record->container = container;
    record->id = asked.id;
    record->kind = 0;
    __builtin_memset(&record->process, 0, sizeof(record->process));
    if (by_current) process_current(&record->process);
    record->ends = from->ends;
    record->number = bpf_ntohs(from->dns.number);
    u32 end = 0;
    u32 used = read_name(record->tail, from, &end);
    u16 type = 0;
    bpf_probe_read_kernel(&type, sizeof(type), from->payload + sizeof(struct dns_header) + end);
    record->type = bpf_ntohs(type);
    /* Without the dot before the first label. */
    record->name.offset = __builtin_offsetof(struct dns_record, tail) + 1;
    record->name.length = used ? used - 1 : 0;
    if (used >= NAME_LIMIT) return; /* for the verifier */
    emit(record, __builtin_offsetof(struct dns_record, tail) + used);
}

/** The first address among the answers, whose names are nearly always pointers of two bytes. */
static __always_inline void read_address(struct dns_answer *answer, const struct datagram *from) {
    struct dns_record *scratch = dns_scratch_get();
    u32 at = 0;
    if (!scratch) return;
    read_name(scratch->tail, from, &at);
    const unsigned char *record = from->payload + sizeof(struct dns_header) + at + 4;
    for (u32 i = 0; i < CNAMES; i++) {
        struct {
            u16 name, type, class, ttl[2], length;
        } head;
        if (i >= answer->answers || record + sizeof(head) > from->payload + from->length) return;
        if (bpf_probe_read_kernel(&head, sizeof(head), record) || (head.name & bpf_htons(0xc000)) == 0)
            return;
        record += sizeof(head);
        if (head.type == bpf_htons(TYPE_A)) {
            u32 four = 0;
            bpf_probe_read_kernel(&four, sizeof(four), record);
            mapped_address(answer->address, four);
            answer->has_address = 1;
            return;
        }
        if (head.type == bpf_htons(TYPE_AAAA)) {
            answer->has_address = !bpf_probe_read_kernel(answer->address, 16, record);
            return;
        }
        record += bpf_ntohs(head.length);
    }
}

/** An answer to a question that was recorded. */
static __always_inline void record_answer(const struct datagram *from) {
    struct question question = {.number = from->dns.number};
    swap(&question.ends, &from->ends);
    struct asked *asked = bpf_map_lookup_elem(&questions, &question);
    if (!asked) return;
    struct dns_answer answer = {.time = bpf_ktime_get_ns(), .container = asked->container, .id = asked->id};
    answer.kind = 1;
    answer.latency_ns = answer.time - asked->time;
    answer.code = bpf_ntohs(from->dns.flags) & 15;
    answer.answers = bpf_ntohs(from->dns.answers);
    if (bpf_map_delete_elem(&questions, &question)) return; /* it has passed another device */
    read_address(&answer, from);
    emit(&answer, sizeof(answer));
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(dns_sent, struct sk_buff *skb) {
    struct datagram datagram = {};
    struct sock *sk = skb->sk;
    count_hit();
    if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_UDP) return 0;
    if (!read_datagram(&datagram, skb->head + skb->network_header)) return 0;
    if (datagram.dns.flags & bpf_htons(DNS_ANSWER) || datagram.ends.remote_port != port) return 0;
    u64 current = scope_current_uncounted();
    u64 container = scope_sock(sk);
    if (!container) container = scope_by_process ? scope_counted(current) : 0;
    if (container) record_question(&datagram, container, current == container);
    return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(dns_received, struct sk_buff *skb) {
    struct datagram datagram = {};
    count_hit();
    if (!read_datagram(&datagram, skb->data)) return 0;
    if (datagram.dns.flags & bpf_htons(DNS_ANSWER)) record_answer(&datagram);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
