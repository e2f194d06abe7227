/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What every compiled program is linked with: the scope, the ring, stacks, and the functions of the language
 * that are better written in C. programs/lower writes the calls; native links both objects in memory.
 *
 * All functions are hidden: libbpf then makes static subprograms of them, which the verifier looks at with
 * the caller's knowledge of their arguments; those that are not called are not loaded. */
#include "program.bpf.h"
#include "strings.bpf.h"
#include "usdt_arguments.bpf.h"

/* No license here: the linker wants both objects' to be the same, and the program says its own. */
