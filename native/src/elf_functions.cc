// Reads an ELF file's symbol tables; see elf_functions.h. The file is the traced program's: nothing in it is
// believed unchecked.

#include "elf_functions.h"

#include <map>

#include "elf_file.h"
#include "symbols_guard.h"

namespace {

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
    Elf64_Ehdr header = elfHeader(file, path);
    std::map<std::string, Found, std::less<>> wanted;
    for (const std::string &name : functions) wanted[name];
    forEachSymbolTable(file, header, [&](const Elf64_Shdr &table, const Elf64_Shdr &strings) {
        readTable(file, table, strings, wanted);
    });
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
