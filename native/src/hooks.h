// Which hooks this kernel has, by name: its BTF's functions and raw tracepoints.
#pragma once

#include <cstdint>
#include <string>

/// The type id of a name in the kernel's BTF, of one kind; 0 where it is not there.
int32_t vmlinuxTypeId(const std::string &name, uint32_t kind);
