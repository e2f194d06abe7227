// Writes numbered records of about 100 bytes into a ring, some at each getgid or write call of one process.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

struct process {
    u32 pid;
    u32 container_pid;
    char name[16];
};

struct text {
    u16 offset;
    u16 length;
};

struct event {
    u64 time;
    u64 container;
    u64 id;
    u32 kind;
    u32 reserved;
    u64 sequence;
    struct process process;
    s32 result;
    u8 flag;
    u8 address[3];
    struct text path;
    char tail[256];
};

struct completion {
    u64 time;
    u64 container;
    u64 id;
    u32 kind;
    u32 reserved;
    u64 duration;
    s32 exit_code;
};

struct event *unused_event __attribute__((unused));
struct completion *unused_completion __attribute__((unused));

const volatile u32 target = 0;
const volatile u64 syscall = 0;
const volatile u32 per_call = 1;
const volatile u32 path_length = 20;
/* Every nth record has a completion right behind it; 0: none. */
const volatile u32 complete_every = 0;
/* Offsets and lengths that point outside the record. */
const volatile _Bool hostile = 0;

u64 sequence = 0;
u64 lost = 0;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct event);
} scratch SEC(".maps");

static long write_one(u32 index, void *unused) {
    u32 zero = 0;
    struct event *event = bpf_map_lookup_elem(&scratch, &zero);
    if (!event) return 1;
    u64 number = __sync_fetch_and_add(&sequence, 1);
    event->time = bpf_ktime_get_ns();
    event->container = 42;
    event->id = number;
    event->kind = 0;
    event->sequence = number;
    event->process.pid = target;
    event->process.container_pid = 7;
    bpf_get_current_comm(event->process.name, sizeof(event->process.name));
    event->result = -(s32)(number % 100);
    event->flag = number & 1;
    event->address[0] = number;
    event->path.offset = __builtin_offsetof(struct event, tail);
    event->path.length = path_length;
    if (hostile) {
        event->path.offset += number % 512;
        event->path.length = 65535;
    }
    u32 length = path_length;
    if (length > sizeof(event->tail)) length = sizeof(event->tail);
    for (u32 i = 0; i < 16; i++) event->tail[i] = 'a' + (number >> (i * 4)) % 16;
    if (bpf_ringbuf_output(&events, event, __builtin_offsetof(struct event, tail) + length, BPF_RB_NO_WAKEUP))
        __sync_fetch_and_add(&lost, 1);
    if (complete_every && number % complete_every == 0) {
        struct completion done = {.time = event->time + 5,
                                  .container = 42,
                                  .id = number,
                                  .kind = 1,
                                  .duration = number * 2,
                                  .exit_code = 3};
        if (bpf_ringbuf_output(&events, &done, sizeof(done), BPF_RB_NO_WAKEUP))
            __sync_fetch_and_add(&lost, 1);
    }
    return 0;
}

SEC("raw_tp/sys_enter")
int write_records(struct bpf_raw_tracepoint_args *ctx) {
    if (ctx->args[1] != syscall || bpf_get_current_pid_tgid() >> 32 != target) return 0;
    bpf_loop(per_call, write_one, 0, 0);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
