// What a generated program is linked with in tests of native/ and programs/emit/: functions, a global and a
// map for it to use.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef unsigned int u32;
typedef unsigned long long u64;

#define FUNCTION __hidden __attribute__((noinline))

struct pair {
    u64 first, second;
};

const volatile u64 step = 1;
volatile u32 stopped = 0;
u64 calls = 0;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, struct pair);
} pairs SEC(".maps");

/// Counts its calls; gives by + step.
FUNCTION u64 stepped(u64 by) {
    __sync_fetch_and_add(&calls, 1);
    return by + step;
}

FUNCTION u64 pair_sum(const struct pair *pair, void *unused) {
    return pair->first + pair->second;
}

FUNCTION u64 never_called(u64 by) {
    return by * 2;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
