// Reads an ELF file's symbol tables; see elf_functions.h. The file is the traced program's: nothing in it is
// believed unchecked.

#include "elf_functions.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <map>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors.h"
#include "symbols_guard.h"

namespace {

/// Names cut off here match none that is wanted; a file full of endless names costs no more than its symbols.
constexpr size_t longestName = 4096;
/// A file has one of each kind; one that says it has thousands must not be read thousands of times.
constexpr int mostTables = 8;

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

struct Found {
    uint64_t address = 0;
    int rank = 0;
};

/// A name that is defined twice: the global one is meant.
int rankOf(unsigned char info) {
    switch (ELF64_ST_BIND(info)) {
        case STB_GLOBAL:
            return 3;
        case STB_WEAK:
            return 2;
        default:
            return 1;
    }
}

void readTable(const MappedFile &file, const Elf64_Shdr &table, const Elf64_Shdr &strings,
               std::map<std::string, Found, std::less<>> &wanted) {
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        if (!file.read(table.sh_offset + at, &symbol)) return;
        int type = ELF64_ST_TYPE(symbol.st_info);
        if (type != STT_FUNC || symbol.st_shndx == SHN_UNDEF || symbol.st_name >= strings.sh_size) continue;
        auto found = wanted.find(file.text(strings.sh_offset + symbol.st_name));
        int rank = rankOf(symbol.st_info);
        if (found == wanted.end() || found->second.rank >= rank) continue;
        found->second = {symbol.st_value, rank};
    }
}

/// The place in the file of an address in memory.
bool fileOffset(const MappedFile &file, const Elf64_Ehdr &header, uint64_t address, unsigned long *offset) {
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        if (!file.read(header.e_phoff + uint64_t(i) * sizeof segment, &segment)) return false;
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
            address - segment.p_vaddr >= segment.p_filesz)
            continue;
        *offset = address - segment.p_vaddr + segment.p_offset;
        return true;
    }
    return false;
}

}  // namespace

std::vector<unsigned long> functionOffsets(const std::string &path,
                                           const std::vector<std::string> &functions) {
    // Its owner may shorten it meanwhile: what is missing then reads as zeros.
    TruncationGuard guard;
    MappedFile file(path);
    Elf64_Ehdr header;
    if (!file.read(0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        throw Failure(Code::InvalidObject, path + " is no 64-bit ELF file");
    std::map<std::string, Found, std::less<>> wanted;
    for (const std::string &name : functions) wanted[name];
    for (int i = 0, tables = 0; i < header.e_shnum && tables < mostTables; i++) {
        Elf64_Shdr table, strings;
        if (!file.read(header.e_shoff + uint64_t(i) * sizeof table, &table)) break;
        if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) continue;
        tables++;
        if (table.sh_link < header.e_shnum &&
            file.read(header.e_shoff + uint64_t(table.sh_link) * sizeof strings, &strings))
            readTable(file, table, strings, wanted);
    }
    std::vector<unsigned long> offsets;
    for (const std::string &name : functions) {
        unsigned long offset;
        const Found &found = wanted[name];
        if (!found.rank || !fileOffset(file, header, found.address, &offset))
            throw Failure(Code::NotFound, path + " has no function " + name);
        offsets.push_back(offset);
    }
    return offsets;
}
