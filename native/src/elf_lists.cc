// What a program's file lists: its symbols, and the USDT probes in its notes. The file may be the traced
// program's own: see elf_file.h.

#include "elf_lists.h"

#include <unordered_set>

#include "arguments.h"
#include "elf_file.h"
#include "symbols_guard.h"

namespace {

/// A note that says it is longer is no USDT probe's.
constexpr uint32_t longestNote = 4096;
constexpr size_t mostNotes = 1 << 16;
constexpr size_t mostSymbols = 1 << 20;

/// elfSymbols(path: string, name?: string): ElfSymbol[]
Napi::Value elfSymbols(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string path = textArgument(info[0], "path");
    std::string wanted = info[1].IsUndefined() ? "" : textArgument(info[1], "name");
    Napi::Array list = Napi::Array::New(env);
    TruncationGuard guard;
    MappedFile file(path);
    Elf64_Ehdr header = elfHeader(file, path);
    std::unordered_set<std::string> known;
    forEachSymbolTable(file, header, [&](const Elf64_Shdr &table, const Elf64_Shdr &strings) {
        for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol;
            if (!file.read(table.sh_offset + at, &symbol)) return;
            int type = ELF64_ST_TYPE(symbol.st_info);
            bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
            if ((!function && type != STT_OBJECT) || symbol.st_shndx == SHN_UNDEF ||
                symbol.st_name >= strings.sh_size)
                continue;
            std::string_view name = file.text(strings.sh_offset + symbol.st_name);
            if (name.empty() || (!wanted.empty() && name != wanted)) continue;
            if (known.size() >= mostSymbols) return;
            if (!known.emplace(name).second) continue;
            Napi::HandleScope scope(env);
            Napi::Object entry = Napi::Object::New(env);
            entry.Set("name", std::string(name));
            entry.Set("address", Napi::BigInt::New(env, uint64_t(symbol.st_value)));
            entry.Set("size", double(symbol.st_size));
            entry.Set("function", function);
            list.Set(list.Length(), entry);
        }
    });
    return list;
}

/// The three texts of a probe's note: provider, name, arguments. False where they are not whole.
bool addNote(Napi::Env env, const MappedFile &file, uint64_t at, uint64_t end, Napi::Array list) {
    std::string_view texts[3];
    for (std::string_view &text : texts) {
        if (at >= end) return false;
        text = file.text(at);
        at += text.size() + 1;
        if (at > end) return false;
    }
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("provider", std::string(texts[0]));
    entry.Set("name", std::string(texts[1]));
    entry.Set("arguments", std::string(texts[2]));
    list.Set(list.Length(), entry);
    return true;
}

/// usdtNotes(path: string): UsdtNote[]
Napi::Value usdtNotes(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string path = textArgument(info[0], "path");
    Napi::Array list = Napi::Array::New(env);
    TruncationGuard guard;
    MappedFile file(path);
    Elf64_Ehdr header = elfHeader(file, path);
    for (int i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        if (!file.read(header.e_shoff + uint64_t(i) * sizeof section, &section)) break;
        if (section.sh_type != SHT_NOTE) continue;
        const uint64_t end = section.sh_offset + section.sh_size;
        for (uint64_t at = section.sh_offset; at < end && list.Length() < mostNotes;) {
            Elf64_Nhdr note;
            if (!file.read(at, &note) || note.n_namesz > longestNote || note.n_descsz > longestNote) break;
            const uint64_t name = at + sizeof note, words = name + (note.n_namesz + 3) / 4 * 4;
            at = words + (note.n_descsz + 3) / 4 * 4;
            // What follows three addresses: of the probe, of the link's base, of the semaphore.
            if (note.n_type == 3 && file.text(name) == "stapsdt" && at <= end)
                addNote(env, file, words + 24, words + note.n_descsz, list);
        }
    }
    return list;
}

}  // namespace

void addElfLists(Napi::Env, Napi::Object exports) {
    addFunction(exports, "elfSymbols", elfSymbols);
    addFunction(exports, "usdtNotes", usdtNotes);
}
