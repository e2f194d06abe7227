// See symbols_resolve.h.

#include "symbols_resolve.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors.h"
#include "symbols_guard.h"

namespace {

/// Files whose symbol tables are in memory at once; large DWARF costs tens of megabytes each.
constexpr size_t mostOpened = 32;
constexpr size_t mostImages = 2048;
constexpr size_t mostCached = 100'000;
constexpr size_t mostPerfMaps = 16;

std::string hex(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, value);
    return text;
}

SymbolFrames single(SymbolFrame frame) {
    return std::make_shared<const std::vector<SymbolFrame>>(1, std::move(frame));
}

std::string baseName(const std::string &path) {
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// Collects frames as the library gives them.
struct Collected {
    std::vector<std::vector<SymbolFrame>> frames;
    const std::string *module;
    bool kernel;
};

void collect(void *context, size_t index, bool inlined, const char *name, size_t nameLength, const char *file,
             size_t fileLength, uint32_t line, int64_t offset) {
    auto &into = *static_cast<Collected *>(context);
    SymbolFrame frame;
    frame.name.assign(name, nameLength);
    frame.offset = offset;
    if (into.kernel) {
        frame.kind = SymbolFrame::Kind::Kernel;
        if (file) frame.module.assign(file, fileLength);
    } else {
        frame.kind = inlined ? SymbolFrame::Kind::Inlined : SymbolFrame::Kind::User;
        frame.module = *into.module;
        if (file) frame.file.assign(file, fileLength);
        frame.line = line;
    }
    into.frames[index].push_back(std::move(frame));
}

/// Whether /proc/kallsyms shows addresses; per-CPU symbols at its begin may be 0 in earnest.
bool kernelSymbolsShown() {
    FILE *file = fopen("/proc/kallsyms", "re");
    if (!file) return false;
    char line[512];
    bool shown = false;
    for (int count = 0; !shown && count < 20'000 && fgets(line, sizeof line, file); count++)
        shown = strtoull(line, nullptr, 16) != 0;
    fclose(file);
    return shown;
}

}  // namespace

Resolver::~Resolver() {
    for (auto &[file, image] : images_) letGo(image);
    if (kernel_) sonde_kernel_close(kernel_);
}

void Resolver::letGo(Image &image) {
    if (!image.elf) return;
    TruncationGuard survive;
    sonde_elf_close(image.elf);
    image.elf = nullptr;
    opened_--;
}

Resolver::Image &Resolver::imageOf(const std::shared_ptr<MappedFile> &file) {
    Image &image = images_[file.get()];
    image.file = file;
    image.used = ++clock_;
    if (images_.size() > mostImages || cached_ > mostCached) {
        for (auto other = images_.begin(); other != images_.end();) {
            cached_ -= other->second.found.size();
            other->second.found.clear();
            if (other->first == file.get() || other->second.elf)
                ++other;
            else
                other = images_.erase(other);
        }
    }
    return image;
}

/// The vdso is the same in all processes: this process's own is copied into a file.
std::shared_ptr<const Fd> Resolver::vdso() {
    if (vdso_) return vdso_;
    auto *image = reinterpret_cast<const char *>(getauxval(AT_SYSINFO_EHDR));
    if (!image) return nullptr;
    Elf64_Ehdr header;
    memcpy(&header, image, sizeof header);
    size_t size = header.e_shoff + size_t(header.e_shnum) * header.e_shentsize;
    Fd file(memfd_create("vdso", MFD_CLOEXEC));
    if (!file || size > 1 << 20 || write(file.get(), image, size) != ssize_t(size)) return nullptr;
    return vdso_ = std::make_shared<const Fd>(std::move(file));
}

/// Opens the image's symbols where they are not; again where the file has been written over since.
bool Resolver::ready(Image &image) {
    bool isVdso = image.file->kind == MappedFile::Kind::Vdso;
    std::shared_ptr<const Fd> file = isVdso ? vdso() : watch_->files().held(*image.file);
    struct stat status;
    if (!file || fstat(file->get(), &status) != 0) return false;
    uint64_t changed = uint64_t(status.st_mtim.tv_sec) * 1'000'000'000 + uint64_t(status.st_mtim.tv_nsec);
    if (image.size != uint64_t(status.st_size) || image.changed != changed) {
        letGo(image);
        cached_ -= image.found.size();
        image.found.clear();
        image.unfit = false;
        image.size = uint64_t(status.st_size);
        image.changed = changed;
    }
    if (image.unfit) return false;
    if (image.elf) return true;
    if (opened_ >= mostOpened) {
        Image *oldest = nullptr;
        for (auto &[key, other] : images_)
            if (other.elf && (!oldest || other.used < oldest->used)) oldest = &other;
        if (oldest) letGo(*oldest);
    }
    TruncationGuard survive;
    image.elf = sonde_elf_open(file->get());
    image.unfit = !image.elf;
    if (image.unfit) return false;
    opened_++;
    if (!isVdso) attachDebugFile(image);
    return true;
}

/// Debian's and others' separate debug files, inside the process's own root, by build id and by debug link.
void Resolver::attachDebugFile(Image &image) {
    uint8_t id[64];
    char link[256];
    size_t idLength = 0, linkLength = 0;
    if (sonde_elf_describe(image.elf, id, &idLength, link, &linkLength) || idLength < 2) return;
    std::shared_ptr<const Root> root = watch_->files().rootOf(*image.file);
    if (!root) return;
    std::string digits;
    for (size_t i = 0; i < idLength; i++) {
        char pair[3];
        snprintf(pair, sizeof pair, "%02x", id[i]);
        digits += pair;
    }
    std::vector<std::string> places = {"/usr/lib/debug/.build-id/" + digits.substr(0, 2) + "/" +
                                       digits.substr(2) + ".debug"};
    if (linkLength > 0) {
        std::string name(link, linkLength);
        const std::string &path = image.file->path;
        std::string folder = path.substr(0, path.rfind('/') + 1);
        places.push_back(folder + name);
        places.push_back(folder + ".debug/" + name);
        places.push_back("/usr/lib/debug" + folder + name);
    }
    for (const auto &place : places) {
        Fd debug = openInside(*root, place);
        if (debug && sonde_elf_attach(image.elf, debug.get())) return;
    }
}

void Resolver::ask(Image &image, const std::vector<Question> &questions, std::vector<SymbolFrames> &answers) {
    bool usable = ready(image);
    std::vector<uint64_t> offsets;
    std::vector<const Question *> asked;
    for (const auto &question : questions) {
        auto known = image.found.find(question.offset);
        if (known != image.found.end())
            answers[question.index] = known->second;
        else if (usable) {
            offsets.push_back(question.offset);
            asked.push_back(&question);
        }
    }
    if (offsets.empty()) return;
    Collected collected = {std::vector<std::vector<SymbolFrame>>(offsets.size()), &image.file->path, false};
    TruncationGuard survive;
    int status = sonde_elf_symbolize(image.elf, offsets.data(), offsets.size(), collect, &collected);
    if (status == -2 || survive.tripped()) {
        letGo(image);
        image.unfit = true;
        if (survive.tripped()) return;
    }
    for (size_t i = 0; i < offsets.size(); i++) {
        SymbolFrames frames;
        if (!collected.frames[i].empty())
            frames = std::make_shared<const std::vector<SymbolFrame>>(std::move(collected.frames[i]));
        if (image.found.emplace(offsets[i], frames).second) cached_++;
        answers[asked[i]->index] = frames;
    }
}

std::string_view Resolver::generated(const AddressSpaceView &view, uint64_t address) {
    for (const auto &file : view.perfMaps) {
        auto known = std::find_if(perfMaps_.begin(), perfMaps_.end(),
                                  [&](const auto &map) { return map->file() == file.get(); });
        if (known != perfMaps_.end())
            perfMaps_.splice(perfMaps_.begin(), perfMaps_, known);
        else
            perfMaps_.push_front(std::make_unique<PerfMap>(file));
        if (perfMaps_.size() > mostPerfMaps) perfMaps_.pop_back();
        PerfMap &map = *perfMaps_.front();
        map.refresh();
        std::string_view name = map.find(address);
        if (!name.empty()) return name;
    }
    return {};
}

std::vector<SymbolFrames> Resolver::user(uint32_t pid, uint64_t time,
                                         const std::vector<uint64_t> &addresses) {
    std::optional<AddressSpaceView> view = watch_->view(pid, time);
    std::lock_guard guard(lock_);
    std::vector<SymbolFrames> answers(addresses.size());
    std::vector<const Mapping *> mappings(addresses.size());
    std::map<const MappedFile *, std::vector<Question>> byFile;
    for (size_t i = 0; i < addresses.size(); i++) {
        uint64_t address = addresses[i] - (i > 0 && addresses[i] > 0 ? 1 : 0);
        const Mapping *mapping = view ? MappingStore::find(*view->layout, time, address) : nullptr;
        mappings[i] = mapping;
        if (mapping && (mapping->file->kind == MappedFile::Kind::Regular ||
                        mapping->file->kind == MappedFile::Kind::Vdso))
            byFile[mapping->file.get()].push_back({i, address - mapping->start + mapping->offset});
        else if (std::string_view name; view && !(name = generated(*view, address)).empty())
            answers[i] = single({SymbolFrame::Kind::Jit, std::string(name), "", "", 0});
    }
    for (auto &[file, questions] : byFile) {
        const auto &owner = mappings[questions.front().index]->file;
        // The vdso's mapping has no file: its offset counts from its begin.
        if (file->kind == MappedFile::Kind::Vdso)
            for (auto &question : questions) question.offset -= mappings[question.index]->offset;
        ask(imageOf(owner), questions, answers);
    }
    for (size_t i = 0; i < addresses.size(); i++) {
        if (answers[i]) continue;
        const Mapping *mapping = mappings[i];
        if (!mapping || mapping->file->kind == MappedFile::Kind::Generated) {
            answers[i] = single({SymbolFrame::Kind::User, hex(addresses[i]), "", "", 0});
            continue;
        }
        const std::string &path = mapping->file->path;
        std::string name = baseName(path) + "+" + hex(addresses[i] - mapping->start + mapping->offset);
        answers[i] = single({SymbolFrame::Kind::User, name, path, "", 0});
    }
    return answers;
}

std::vector<SymbolFrames> Resolver::kernel(const std::vector<uint64_t> &addresses) {
    std::lock_guard guard(kernelLock_);
    if (!kernel_) {
        if (!kernelSymbolsShown())
            throw Failure(
                Code::NotSupported,
                "/proc/kallsyms shows no addresses, so kernel functions have no names: give CAP_SYSLOG, or "
                "set kernel.kptr_restrict to 0 and kernel.perf_event_paranoid to 1");
        kernel_ = sonde_kernel_open();
    }
    std::vector<SymbolFrames> answers(addresses.size());
    std::vector<uint64_t> asked;
    std::vector<size_t> indexes;
    for (size_t i = 0; i < addresses.size(); i++) {
        uint64_t address = addresses[i] - (i > 0 && addresses[i] > 0 ? 1 : 0);
        auto known = kernelFound_.find(address);
        if (known != kernelFound_.end()) {
            answers[i] = known->second;
            continue;
        }
        asked.push_back(address);
        indexes.push_back(i);
    }
    Collected collected = {std::vector<std::vector<SymbolFrame>>(asked.size()), nullptr, true};
    if (kernel_ && !asked.empty() &&
        sonde_kernel_symbolize(kernel_, asked.data(), asked.size(), collect, &collected) == -2) {
        sonde_kernel_close(kernel_);
        kernel_ = nullptr;
    }
    if (kernelFound_.size() > mostCached) kernelFound_.clear();
    for (size_t i = 0; i < asked.size(); i++) {
        SymbolFrames &answer = answers[indexes[i]];
        if (collected.frames[i].empty()) {
            answer = single({SymbolFrame::Kind::Kernel, hex(addresses[indexes[i]]), "", "", 0});
            continue;
        }
        answer = std::make_shared<const std::vector<SymbolFrame>>(std::move(collected.frames[i]));
        kernelFound_.emplace(asked[i], answer);
    }
    return answers;
}
