/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Arguments of USDT probes. Where each lies differs from one place in the code to the next; libbpf puts that
 * into maps of these names when it attaches. */
#pragma once

#include "program.bpf.h"
#include <bpf/usdt.bpf.h>

FUNCTION u64 program_usdt_argument(struct pt_regs *ctx, u64 index) {
    long value = 0;
    if (bpf_usdt_arg(ctx, index, &value)) return 0;
    return value;
}
