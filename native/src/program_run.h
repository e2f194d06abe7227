// Running a loaded program by hand.
#pragma once

#include <cstdint>
#include <vector>

#include <bpf/libbpf.h>

/// Once, without a hook, in the calling thread: raw tracepoint programs (Linux 5.10). context: the hook's
/// arguments, at most 12, zeros where there are fewer. Gives what it returns. Throws NotSupported,
/// InvalidArgument, SystemError.
uint32_t runProgram(bpf_program *program, const std::vector<uint64_t> &context);
/// An iterator over all that it iterates, to its end.
void iterateProgram(bpf_program *program);
