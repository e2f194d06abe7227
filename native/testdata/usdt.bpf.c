// Counts the hits of a USDT probe in one process, and keeps its first argument.
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

const volatile int target = 0;
long counted = 0;
long argument = -1;

SEC("usdt")
int on_probe(struct pt_regs *ctx) {
    if (bpf_get_current_pid_tgid() >> 32 != target) return 0;
    __sync_fetch_and_add(&counted, 1);
    bpf_usdt_arg(ctx, 0, &argument);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
