/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Programs on the tracepoints of system calls: a record when a call ends, taken where its arguments still
 * are.
 *
 *     struct stat_record { CALL_HEADER; struct text path; u32 reserved2; char tail[PATH_LIMIT]; };
 *     SCRATCH(stat_scratch, struct stat_record);
 *
 * One program is loaded once and attached to each call's own exit tracepoint (bpf/calls.ts). Only 64-bit
 * calls come by these: the kernel leaves out 32-bit ones, whose numbers mean other calls. */
#pragma once

#include "events.bpf.h"

/* Knobs, as bpf/calls.ts sets them. Empty or 0: everything. */
const volatile bool failed_only = false;
const volatile u32 errno_only = 0;
const volatile bool by_process_name = false;
const volatile char process_name[16] = {};

#define PATH_LIMIT 4096 /* PATH_MAX, with its NUL */

struct exit_args {
    u64 common;
    s32 number;
    u32 padding;
    s64 result;
};

/** The first members of every record of a call. */
#define CALL_HEADER         \
    EVENT_HEADER;           \
    struct process process; \
    u32 uid;                \
    u32 syscall;            \
    u32 errno;              \
    u32 reserved1

struct call_header {
    CALL_HEADER;
};

static __always_inline bool is_wanted_process(const struct process *process) {
    for (int i = 0; by_process_name && i < 16; i++) {
        if (process->name[i] != process_name[i]) return false;
        if (!process_name[i]) break;
    }
    return true;
}

static __always_inline bool is_wanted_result(long result) {
    if (failed_only && result >= 0) return false;
    return !errno_only || result == -(long)errno_only;
}

/** The scope id of a call that ends and that is wanted; else 0. */
static __always_inline u64 call_ends(const struct exit_args *args) {
    u64 container = scope_current();
    if (!container || !is_wanted_result(args->result) || !sampled(container)) return 0;
    return container;
}

/** Who calls what with which result; false: not wanted. */
static __always_inline bool call_begin(void *record, u64 container, u32 syscall, long result) {
    struct call_header *header = record;
    header->container = container;
    process_current(&header->process);
    if (!is_wanted_process(&header->process)) return false;
    header->uid = bpf_get_current_uid_gid();
    header->syscall = syscall;
    header->errno = result < 0 ? -result : 0;
    return true;
}

/** Text of user space behind `used` bytes of the tail; gives the bytes used then. room: of the tail, a power
 * of two. NULL gives none. */
#define CALL_TEXT(record, member, used, address, limit, room)                                          \
    ({                                                                                                 \
        u32 _used = (used) & ((room) - 1);                                                             \
        long _length =                                                                                 \
            (address) ? bpf_probe_read_user_str((record)->tail + _used, limit, (void *)(address)) : 0; \
        u32 _bytes = _length > 0 ? _length - 1 : 0;                                                    \
        if (_bytes >= (limit)) _bytes = 0; /* for the verifier */                                      \
        (record)->member.offset = __builtin_offsetof(typeof(*(record)), tail) + _used;                 \
        (record)->member.length = _bytes;                                                              \
        _used + _bytes;                                                                                \
    })

/** Hands it over with so many bytes of its tail. */
#define call_emit(record, used)                                             \
    ({                                                                      \
        (record)->time = bpf_ktime_get_ns();                                \
        emit(record, __builtin_offsetof(typeof(*(record)), tail) + (used)); \
    })

/* Calls that take long are timed from their entry; by thread. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, u64);
} call_starts SEC(".maps");

static __always_inline void call_enters(void) {
    u64 container = scope_current_uncounted();
    if (!container) return;
    u32 thread = bpf_get_current_pid_tgid();
    u64 now = bpf_ktime_get_ns();
    bpf_map_update_elem(&call_starts, &thread, &now, BPF_ANY);
}

/** ns since its entry; 0 when it began before the job. Call it for each that ends, wanted or not. */
static __always_inline u64 call_took(void) {
    u32 thread = bpf_get_current_pid_tgid();
    u64 *start = bpf_map_lookup_elem(&call_starts, &thread);
    if (!start) return 0;
    u64 took = bpf_ktime_get_ns() - *start;
    bpf_map_delete_elem(&call_starts, &thread);
    return took;
}
