/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* open-files: every open, openat, openat2, creat and io_uring open of the scope, with what it gave. gadget.ts
 * beside it says which of the programs below are attached.
 *
 * One probe per call, at its end, where the arguments still are. fexit on do_sys_openat2 costs other calls
 * nothing, so it is first choice. Without it: the calls' own exit tracepoints, not the raw sys_exit filtered
 * by number. Measured (6.18, 2 cores, ns added per call, three rounds): a neighbour's getppid 35 by these and
 * 83 by raw; its open+close 310 and 270; a traced open that fails 490 and 460. Nearly all of a node's calls
 * are not opens, so the neighbour pays less this way. */
#include "syscalls.bpf.h"

/* Knobs. Empty or 0: everything. */
const volatile u32 path_prefix_length = 0;
const volatile char path_prefix[64] = {};

#if defined(__TARGET_ARCH_x86)
enum { NR_OPEN = 2, NR_CREAT = 85, NR_OPENAT = 257, NR_OPENAT2 = 437 };
enum { COMPAT_OPEN = 5, COMPAT_CREAT = 8, COMPAT_OPENAT = 295 };
#define O_LARGEFILE 0x8000
#else
enum { NR_OPEN = -1, NR_CREAT = -2 /* none on arm64 */, NR_OPENAT = 56, NR_OPENAT2 = 437 };
enum { COMPAT_OPEN = 5, COMPAT_CREAT = 8, COMPAT_OPENAT = 322 };
#define O_LARGEFILE 0x20000
#endif
#define CREAT_FLAGS 01101 /* O_CREAT | O_WRONLY | O_TRUNC */
#define NR_IO_URING_ENTER 426

struct open_record {
    EVENT_HEADER;
    struct process process;
    u32 uid;
    u32 syscall;
    s32 fd; /* -1: failed */
    u32 errno;
    u64 flags;
    struct text path;
    u32 reserved2;
    char tail[PATH_LIMIT];
};

SCRATCH(open_scratch, struct open_record);

/** What its result says; NULL when this call is not wanted. */
static __always_inline struct open_record *begin(u64 container, long result) {
    if (!is_wanted_result(result)) return NULL;
    if (!sampled(container)) return NULL;
    struct open_record *record = open_scratch_get();
    if (!record) return NULL;
    record->container = container;
    record->fd = result >= 0 ? result : -1;
    record->errno = result >= 0 ? 0 : -result;
    return record;
}

static __always_inline bool has_prefix(struct open_record *record) {
    if (record->path.length < path_prefix_length) return false;
    for (int i = 0; i < sizeof(path_prefix); i++) {
        if (i >= path_prefix_length) break;
        if (record->tail[i] != path_prefix[i]) return false;
    }
    return true;
}

/** length: of the path in the tail with its NUL, negative when it could not be read. */
static __always_inline void finish(struct open_record *record, long length) {
    u32 bytes = length > 0 ? length - 1 : 0;
    if (bytes >= PATH_LIMIT) return; /* for the verifier */
    record->path.offset = __builtin_offsetof(struct open_record, tail);
    record->path.length = bytes;
    if (path_prefix_length && !has_prefix(record)) return;
    record->time = bpf_ktime_get_ns();
    emit(record, __builtin_offsetof(struct open_record, tail) + bytes);
}

static __always_inline void record_open(u64 container, u32 syscall, const char *path, u64 flags,
                                        long result) {
    struct open_record *record = begin(container, result);
    if (!record) return;
    process_current(&record->process);
    record->uid = bpf_get_current_uid_gid();
    if (!is_wanted_process(&record->process)) return;
    record->syscall = syscall;
    record->flags = flags & ~(u64)O_LARGEFILE;
    finish(record, bpf_probe_read_user_str(record->tail, PATH_LIMIT, path));
}

/* The kernel has the call's own function under fexit: 32-bit calls come by here too. */
SEC("fexit/do_sys_openat2")
int BPF_PROG(open_exit_function, int directory, const char *path, struct open_how *how, long result) {
    u64 container = scope_current();
    if (!container) return 0;
    struct pt_regs *regs = current_registers();
    u32 syscall = SYSCALL_NUMBER(regs);
    if (syscall_is_compat(regs))
        syscall = syscall == COMPAT_OPEN     ? NR_OPEN
                  : syscall == COMPAT_CREAT  ? NR_CREAT
                  : syscall == COMPAT_OPENAT ? NR_OPENAT
                                             : NR_OPENAT2;
    record_open(container, syscall, path, BPF_CORE_READ(how, flags), result);
    return 0;
}

/* Loaded once and attached to each call's tracepoint (gadget.ts). Only 64-bit calls come by these: the kernel
 * leaves out 32-bit ones, whose numbers mean other calls. */
SEC("tracepoint")
int open_exit_call(struct exit_args *args) {
    u64 container = scope_current();
    if (!container) return 0;
    struct pt_regs *regs = current_registers();
    u64 second = SYSCALL_ARGUMENT_2(regs), third = SYSCALL_ARGUMENT_3(regs);
    u64 path = second, flags = (u32)third;
    if (args->number == NR_OPENAT2) {
        flags = 0;
        bpf_probe_read_user(&flags, sizeof(flags), (void *)third); /* struct open_how begins with them */
    }
#if defined(__TARGET_ARCH_x86)
    if (args->number == NR_OPEN || args->number == NR_CREAT) {
        path = SYSCALL_ARGUMENT_1(regs);
        flags = args->number == NR_OPEN ? (u32)second : CREAT_FLAGS;
    }
#endif
    record_open(container, args->number, (const char *)path, flags, args->result);
    return 0;
}

/* io_uring: the path is the kernel's copy, made before the request is traced and freed when it is done; so it
 * waits here meanwhile. */

enum { IORING_OP_OPENAT = 18, IORING_OP_OPENAT2 = 28 };

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, struct open_record);
} uring_opens SEC(".maps");

/* 6.12 made the completion's third argument the cqe; before, the fourth is its result. */
typedef void (*btf_trace_io_uring_complete)(void *, struct io_ring_ctx *, void *, struct io_uring_cqe *);

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(open_uring_submit, struct io_kiocb *request) {
    u8 opcode = request->opcode;
    if (opcode != IORING_OP_OPENAT && opcode != IORING_OP_OPENAT2) return 0;
    u64 container = scope_current();
    if (!container) return 0;
    struct open_record *record = open_scratch_get();
    if (!record) return 0;
    struct io_open *open = (struct io_open *)request; /* the request begins with its command */
    long length = bpf_probe_read_kernel_str(record->tail, PATH_LIMIT, BPF_CORE_READ(open, filename, name));
    record->path.length = length > 0 ? length : 0;
    record->container = container;
    record->flags = BPF_CORE_READ(open, how.flags) & ~(u64)O_LARGEFILE;
    record->uid = bpf_get_current_uid_gid();
    process_current(&record->process);
    if (!is_wanted_process(&record->process)) return 0;
    u64 key = (u64)request;
    if (bpf_map_update_elem(&uring_opens, &key, record, BPF_ANY)) count_loss(container, LOSS_MAP_FULL);
    return 0;
}

SEC("tp_btf/io_uring_complete")
int open_uring_complete(u64 *ctx) {
    u64 key = ctx[1];
    struct open_record *waiting = bpf_map_lookup_elem(&uring_opens, &key);
    if (!waiting) return 0;
    s32 result;
    if (bpf_core_type_matches(btf_trace_io_uring_complete)) {
        struct io_uring_cqe *cqe = (void *)ctx[2];
        result = BPF_CORE_READ(cqe, res);
    } else {
        result = ctx[3];
    }
    struct open_record *record = begin(waiting->container, result);
    if (record) {
        /* Completed by whatever runs: the row is the submitter's. */
        record->process = waiting->process;
        record->uid = waiting->uid;
        record->flags = waiting->flags;
        record->syscall = NR_IO_URING_ENTER;
        finish(record, bpf_probe_read_kernel_str(record->tail, PATH_LIMIT, waiting->tail));
    }
    bpf_map_delete_elem(&uring_opens, &key);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
