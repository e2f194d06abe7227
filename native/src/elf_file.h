// An ELF file of a traced program in memory: nothing in it is believed unchecked. Neighbours:
// elf_functions.cc, elf_lists.cc.
#pragma once

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "errors.h"

/// Names cut off here match none that is wanted; a file full of endless names costs no more than its symbols.
inline constexpr size_t longestName = 4096;
/// A file has one of each kind; one that says it has thousands must not be read thousands of times.
inline constexpr int mostTables = 8;

/// A file in memory for as long as it lives.
class MappedFile {
  public:
    explicit MappedFile(const std::string &path) {
        // A FIFO in its place must not keep this thread waiting.
        int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) throw systemFailure("open " + path, errno);
        struct stat status{};
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
            void *memory = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
            if (memory != MAP_FAILED) {
                bytes_ = static_cast<const char *>(memory);
                size_ = size_t(status.st_size);
            }
        }
        close(fd);
        if (!bytes_) throw Failure(Code::InvalidObject, path + " is no ELF file");
    }
    ~MappedFile() { munmap(const_cast<char *>(bytes_), size_); }
    MappedFile(const MappedFile &) = delete;
    MappedFile &operator=(const MappedFile &) = delete;

    template <typename T>
    bool read(uint64_t offset, T *out) const {
        if (offset > size_ || size_ - offset < sizeof(T)) return false;
        memcpy(out, bytes_ + offset, sizeof(T));
        return true;
    }
    std::string_view text(uint64_t offset) const {
        if (offset >= size_) return {};
        return {bytes_ + offset, strnlen(bytes_ + offset, std::min<size_t>(size_ - offset, longestName))};
    }

  private:
    const char *bytes_ = nullptr;
    size_t size_ = 0;
};

/// The header of a 64-bit ELF file. Throws InvalidObject.
inline Elf64_Ehdr elfHeader(const MappedFile &file, const std::string &path) {
    Elf64_Ehdr header;
    if (!file.read(0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        throw Failure(Code::InvalidObject, path + " is no 64-bit ELF file");
    return header;
}

/// The symbol tables with their names.
template <typename Visit>
void forEachSymbolTable(const MappedFile &file, const Elf64_Ehdr &header, Visit visit) {
    for (int i = 0, tables = 0; i < header.e_shnum && tables < mostTables; i++) {
        Elf64_Shdr table, strings;
        if (!file.read(header.e_shoff + uint64_t(i) * sizeof table, &table)) break;
        if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) continue;
        tables++;
        if (table.sh_link < header.e_shnum &&
            file.read(header.e_shoff + uint64_t(table.sh_link) * sizeof strings, &strings))
            visit(table, strings);
    }
}
