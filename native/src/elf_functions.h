// Where functions lie in an ELF file, for uprobes.
#pragma once

#include <string>
#include <vector>

/// File offsets of functions by name, in the names' order. Own code, as libbpf 1.7 finds nothing by name in a
/// stripped file: where .symtab is missing it forgets what it found in .dynsym. Throws NotFound (which
/// function), InvalidObject, and system failures.
std::vector<unsigned long> functionOffsets(const std::string &path,
                                           const std::vector<std::string> &functions);
