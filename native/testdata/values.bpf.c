// Values of every kind that BTF describes, and maps of the kinds that gadgets use; the programs are attached
// by native/*.kernel.test.ts.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum colour { red, green = 7, blue = -3 };

struct inner {
    u16 low;
    int high;
};

struct sample {
    u64 big;
    long long negative;
    u32 number;
    short small;
    _Bool yes;
    char name[16];
    u8 address[4];
    u32 list[3];
    struct inner nested;
    struct inner pairs[2];
    enum colour colour;
    u32 three : 3;
    int minus : 5;
    union {
        u32 word;
        u8 parts[4];
    } either;
    struct {
        u32 within;
    };
    void *pointer;
};

struct key {
    u32 id;
    char name[12];
};

struct totals {
    u64 calls;
    u64 nanoseconds;
    u32 buckets[4];
};

const volatile u32 target = 0;
const volatile struct sample constant = {};
struct sample variable = {};
u64 counted = 0;
u64 neighbour = 5;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 50000);
    __type(key, struct key);
    __type(value, struct totals);
} hash SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, struct totals);
} percpu SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u64);
} array SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 64);
    __type(key, u64);
    __type(value, u32);
} lru SEC(".maps");

/// Counts the calls of one thread group by getpgid (a system call that nobody uses by accident).
SEC("raw_tp/sys_enter")
int count_calls(struct bpf_raw_tracepoint_args *ctx) {
    if (bpf_get_current_pid_tgid() >> 32 != target) return 0;
    __sync_fetch_and_add(&counted, 1);
    u32 key = 0;
    struct totals *found = bpf_map_lookup_elem(&percpu, &key);
    if (found) {
        found->calls++;
        found->buckets[1]++;
        return 0;
    }
    struct totals first = {.calls = 1, .buckets = {0, 1}};
    bpf_map_update_elem(&percpu, &key, &first, BPF_ANY);
    return 0;
}

SEC("tp_btf/sched_switch")
int on_switch(u64 *ctx) {
    return 0;
}

SEC("tp_btf/no_such_tracepoint")
int on_nothing(u64 *ctx) {
    return 0;
}

SEC("tracepoint/sonde/no_such_tracepoint")
int on_no_tracepoint(void *ctx) {
    return 0;
}

SEC("fentry/vfs_open")
int on_open(u64 *ctx) {
    return 0;
}

SEC("kprobe/vfs_open")
int on_open_kprobe(void *ctx) {
    return 0;
}

/// Reads through a number: the verifier refuses it.
SEC("raw_tp/sys_enter")
int refused(struct bpf_raw_tracepoint_args *ctx) {
    return *(int *)ctx->args[1];
}

SEC("perf_event")
int on_clock(void *ctx) {
    __sync_fetch_and_add(&counted, 1);
    return 0;
}

SEC("uprobe")
int on_function(void *ctx) {
    if (bpf_get_current_pid_tgid() >> 32 == target) __sync_fetch_and_add(&counted, 1);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
