/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* privilege-changes: calls that change what a process may do, or that let it do what few may. gadget.ts
 * beside it says which, and what their arguments are called. */
#include "syscalls.bpf.h"

/* Knobs. */
const volatile u32 operation_calls[4] = {}; /* numbers of the calls whose first argument is an operation */

#define OPERATIONS 100000 /* of each such call, fewer than these */

struct privilege_record {
    CALL_HEADER;
    s64 result;
    u32 operation; /* OPERATIONS × the call's index in operation_calls, + the operation + 1; 0: it has none */
    u32 reserved2;
    s64 argument1;
    s64 argument2;
    s64 argument3;
    char tail[8];
};

SCRATCH(privilege_scratch, struct privilege_record);

SEC("tracepoint")
int privilege_exit(struct exit_args *args) {
    u64 container = call_ends(args);
    if (!container) return 0;
    struct privilege_record *record = privilege_scratch_get();
    if (!record || !call_begin(record, container, args->number, args->result)) return 0;
    struct pt_regs *regs = current_registers();
    u32 number = args->number;
    record->result = args->result;
    record->argument1 = SYSCALL_ARGUMENT_1(regs);
    record->argument2 = SYSCALL_ARGUMENT_2(regs);
    record->argument3 = SYSCALL_ARGUMENT_3(regs);
    record->operation = 0;
    for (int i = 0; i < 4; i++)
        if (operation_calls[i] == number) record->operation = i * OPERATIONS + (u32)record->argument1 + 1;
    call_emit(record, 0);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
