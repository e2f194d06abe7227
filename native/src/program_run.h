// Running a loaded program by hand.
#pragma once

#include <bpf/libbpf.h>

/// Once, without a hook, in the calling thread: raw tracepoint programs (Linux 5.10). Throws NotSupported,
/// SystemError.
void runProgram(bpf_program *program);
/// An iterator over all that it iterates, to its end.
void iterateProgram(bpf_program *program);
