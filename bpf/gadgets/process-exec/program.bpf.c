/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* process-exec: every program that is started, with its arguments, its parent and how it ended. gadget.ts
 * beside it declares the columns.
 *
 * The kernel lays the arguments end to end in the new program's memory, NULs between them: one read takes
 * them all, where a reader at execve's entry needs two for each. One record at exec, one that completes it
 * when the process's last thread has ended. */
#include "events.bpf.h"

/* Knobs. */
const volatile bool by_process_name = false;
const volatile char process_name[16] = {};

#define FILENAME_LIMIT 4096 /* PATH_MAX, with its NUL */
#define ARGUMENTS_LIMIT 4096
#define FAILED_ARGUMENTS 64 /* of a call that failed, whose arguments must be read one by one */

#define SIGNAL_GROUP_EXIT 4

enum ending { ENDED_EXITED = 1, ENDED_KILLED, ENDED_REPLACED, ENDED_FAILED };

struct exec_record {
    EVENT_HEADER;
    struct process process;
    struct process parent;
    u32 uid;
    u32 errno; /* of an exec that failed */
    u32 arguments_truncated;
    struct text filename;
    struct text arguments;
    u32 reserved2;
    char tail[FILENAME_LIMIT + ARGUMENTS_LIMIT];
};

/* Completes the exec_record of the same id. */
struct exit_record {
    EVENT_HEADER;
    u64 lifetime_ns;
    u32 ended;
    u32 exited; /* exit_code says something */
    u32 exit_code;
    u32 signal;
};

RECORD(exit_record);

/* Programs that have not ended, by process; in it, what its end needs to know. Not preallocated: an exec
 * takes long enough. */
struct running {
    u64 id;
    u64 time;
    u64 container;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, struct running);
} running SEC(".maps");

SCRATCH(exec_scratch, struct exec_record);
SCRATCH(failed_scratch, struct exec_record);

static __always_inline bool is_wanted(const struct process *process) {
    for (int i = 0; by_process_name && i < 16; i++) {
        if (process->name[i] != process_name[i]) return false;
        if (!process_name[i]) break;
    }
    return true;
}

static __always_inline void complete(const struct running *was, u64 now, u32 ended, u32 status) {
    struct exit_record record = {
        .time = now,
        .container = was->container,
        .id = was->id,
        .kind = 1,
        .lifetime_ns = now - was->time,
        .ended = ended,
        .exited = ended == ENDED_EXITED,
        .exit_code = ended == ENDED_EXITED ? status >> 8 & 0xff : 0,
        .signal = ended == ENDED_KILLED ? status & 0x7f : 0,
    };
    emit(&record, sizeof(record));
}

/** filename: its bytes in the tail, without a NUL. arguments: the bytes behind it. */
static __always_inline void emit_texts(struct exec_record *record, u32 filename, u32 arguments) {
    record->filename.offset = __builtin_offsetof(struct exec_record, tail);
    record->filename.length = filename;
    record->arguments.offset = record->filename.offset + filename;
    record->arguments.length = arguments;
    u32 length = __builtin_offsetof(struct exec_record, tail) + filename + arguments;
    /* For verifiers before 6.2 or so, which lose track of the sum's bounds. */
    barrier_var(length);
    if (length > sizeof(*record)) return;
    emit(record, length);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_done, struct task_struct *task, pid_t old_pid, struct linux_binprm *binary) {
    u64 container = scope_current();
    if (!container) return 0;
    u64 now = bpf_ktime_get_ns();
    u32 tgid = task->tgid;
    struct running *before = bpf_map_lookup_elem(&running, &tgid);
    if (before) {
        complete(before, now, ENDED_REPLACED, 0);
        bpf_map_delete_elem(&running, &tgid);
    }
    struct exec_record *record = exec_scratch_get();
    if (!record) return 0;
    process_of(&record->process, task);
    if (!is_wanted(&record->process) || !sampled(container)) return 0;
    process_of(&record->parent, task->real_parent);
    record->time = now;
    record->container = container;
    record->id = now ^ (u64)tgid << 32;
    record->uid = bpf_get_current_uid_gid();

    long named = bpf_probe_read_kernel_str(record->tail, FILENAME_LIMIT, binary->filename);
    u32 filename = named > 0 ? named - 1 : 0;
    if (filename >= FILENAME_LIMIT) return 0; /* for the verifier */
    unsigned long start = task->mm->arg_start;
    unsigned long size = task->mm->arg_end - start;
    u32 arguments = size < ARGUMENTS_LIMIT ? size : ARGUMENTS_LIMIT;
    record->arguments_truncated = size > ARGUMENTS_LIMIT;
    barrier_var(arguments);
    if (arguments > ARGUMENTS_LIMIT) return 0; /* for the verifier */
    if (bpf_probe_read_user(record->tail + filename, arguments, (void *)start)) arguments = 0;
    if (arguments && !record->arguments_truncated) arguments--; /* the last NUL separates nothing */

    struct running now_running = {.id = record->id, .time = now, .container = container};
    if (bpf_map_update_elem(&running, &tgid, &now_running, BPF_ANY)) count_loss(container, LOSS_MAP_FULL);
    emit_texts(record, filename, arguments);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exec_ended, struct task_struct *task) {
    count_hit();
    if (task->signal->live.counter != 0) return 0; /* other threads go on */
    u32 tgid = task->tgid;
    struct running *found = bpf_map_lookup_elem(&running, &tgid);
    if (!found) return 0;
    struct running was = *found;
    /* Two last threads can both see no other alive: the one that deletes is the last. */
    if (bpf_map_delete_elem(&running, &tgid)) return 0;
    /* As wait() does it: a process that was told to end has the group's status, else it is its first
     * thread's. */
    u32 status = task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code
                                                         : task->group_leader->exit_code;
    complete(&was, bpf_ktime_get_ns(), status & 0x7f ? ENDED_KILLED : ENDED_EXITED, status);
    return 0;
}

/** Arguments by their pointers: two reads for each. Gives the bytes behind the filename. */
static __always_inline u32 read_arguments(struct exec_record *record, u32 filename, const char *const *argv) {
    u32 used = 0;
    record->arguments_truncated = 1;
    for (int i = 0; i < FAILED_ARGUMENTS; i++) {
        const char *argument = NULL;
        if (bpf_probe_read_user(&argument, sizeof(argument), &argv[i]) || !argument) {
            record->arguments_truncated = 0;
            break;
        }
        u32 at = filename + used;
        barrier_var(at);
        if (at >= FILENAME_LIMIT) break;
        long length = bpf_probe_read_user_str(record->tail + at, ARGUMENTS_LIMIT, argument);
        if (length <= 0) break;
        used += length;
    }
    return used;
}

struct exit_args {
    u64 common;
    s32 number;
    u32 padding;
    s64 result;
};

/* A call that failed still has its arguments; one that succeeded has a new program's registers. */
static __always_inline int exec_failed(struct exit_args *args, u64 filename_address, u64 argv) {
    u64 container = scope_current();
    if (!container) return 0;
    struct exec_record *record = failed_scratch_get();
    if (!record) return 0;
    process_current(&record->process);
    if (!is_wanted(&record->process) || !sampled(container)) return 0;
    u64 now = bpf_ktime_get_ns();
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    process_at(&record->parent, BPF_CORE_READ(task, real_parent));
    record->time = now;
    record->container = container;
    record->id = now ^ bpf_get_current_pid_tgid() << 32;
    record->uid = bpf_get_current_uid_gid();
    record->errno = -args->result;

    long named = bpf_probe_read_user_str(record->tail, FILENAME_LIMIT, (void *)filename_address);
    u32 filename = named > 0 ? named - 1 : 0;
    if (filename >= FILENAME_LIMIT) return 0; /* for the verifier */
    u32 arguments = read_arguments(record, filename, (void *)argv);
    if (arguments) arguments--;
    emit_texts(record, filename, arguments);
    record->errno = 0;
    struct running never = {.id = record->id, .time = now, .container = container};
    complete(&never, now, ENDED_FAILED, 0);
    return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int exec_failed_execve(struct exit_args *args) {
    if (args->result >= 0) return 0;
    struct pt_regs *regs = current_registers();
    return exec_failed(args, SYSCALL_ARGUMENT_1(regs), SYSCALL_ARGUMENT_2(regs));
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int exec_failed_execveat(struct exit_args *args) {
    if (args->result >= 0) return 0;
    struct pt_regs *regs = current_registers();
    return exec_failed(args, SYSCALL_ARGUMENT_2(regs), SYSCALL_ARGUMENT_3(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
