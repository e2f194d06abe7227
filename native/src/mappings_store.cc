// See mappings_store.h.

#include "mappings_store.h"

#include <algorithm>

namespace {

/// For all ended address spaces; about 40,000 short commands.
constexpr size_t mostEndedBytes = 16 << 20;
constexpr uint64_t longestKept = 60ull * 60 * 1'000'000'000;
/// Per address space; what a program maps beyond that is not told apart any more.
constexpr size_t mostMappings = 4096;
/// JITs change protections all day; addresses outside known ranges are looked up in the perf map anyway.
constexpr size_t mostGenerated = 256;

bool covers(const Mapping &mapping, uint64_t address) {
    return address >= mapping.start && address < mapping.end;
}

}  // namespace

AddressSpace *MappingStore::live(uint32_t pid) {
    auto found = processes_.find(pid);
    if (found == processes_.end()) return nullptr;
    AddressSpace &last = found->second.back();
    return last.ended ? nullptr : &last;
}

const AddressSpace *MappingStore::at(uint32_t pid, uint64_t time) const {
    auto found = processes_.find(pid);
    if (found == processes_.end()) return nullptr;
    const auto &spaces = found->second;
    for (auto space = spaces.rbegin(); space != spaces.rend(); ++space)
        if (space->began <= time) return &*space;
    return nullptr;
}

const Mapping *MappingStore::find(const Layout &layout, uint64_t time, uint64_t address) {
    const Mapping *later = nullptr;
    for (auto mapping = layout.rbegin(); mapping != layout.rend(); ++mapping) {
        if (!covers(*mapping, address)) continue;
        if (mapping->since <= time) return &*mapping;
        later = &*mapping;
    }
    // A process found in /proc has its mappings from then on only, though it may have had them before.
    return later;
}

AddressSpace &MappingStore::begin(uint32_t pid, AddressSpace space) {
    auto &spaces = processes_[pid];
    spaces.push_back(std::move(space));
    spaces_++;
    return spaces.back();
}

void MappingStore::end(uint32_t pid, AddressSpace &space, uint64_t time) {
    if (space.ended) return;
    space.ended = std::max(time, uint64_t(1));
    // A list shared with a parent costs nothing of its own.
    size_t bytes = sizeof(AddressSpace) + sizeof(Ended) + 64;
    if (space.layout.use_count() == 1) {
        space.layout->shrink_to_fit();
        bytes += space.layout->size() * sizeof(Mapping) + 64;
    }
    endedBytes_ += bytes;
    ended_.push_back({pid, space.began, space.ended, bytes});
}

AddressSpace &MappingStore::adopt(uint32_t pid, uint64_t began) {
    return begin(pid, {.began = began, .layout = std::make_shared<Layout>()});
}

void MappingStore::fork(uint32_t pid, uint32_t parent, uint64_t time) {
    AddressSpace *from = live(parent);
    AddressSpace space = {.began = time, .parent = parent};
    if (from) {
        space.layout = from->layout;
        space.root = from->root;
        space.inheritedPerfMap = from->perfMap ? from->perfMap : from->inheritedPerfMap;
    } else {
        space.layout = std::make_shared<Layout>();
    }
    if (AddressSpace *before = live(pid)) end(pid, *before, time);
    begin(pid, std::move(space));
}

void MappingStore::exec(uint32_t pid, uint64_t time) {
    AddressSpace space = {.began = time, .layout = std::make_shared<Layout>()};
    if (AddressSpace *before = live(pid)) {
        space.parent = before->parent;
        space.root = before->root;
        end(pid, *before, time);
    }
    begin(pid, std::move(space));
}

void MappingStore::exit(uint32_t pid, uint64_t time) {
    if (AddressSpace *space = live(pid)) end(pid, *space, time);
}

bool MappingStore::map(AddressSpace &space, Mapping mapping) {
    bool generated = mapping.file->kind == MappedFile::Kind::Generated;
    size_t generatedOnes = 0;
    for (auto other = space.layout->rbegin(); other != space.layout->rend(); ++other) {
        bool overlaps = other->start < mapping.end && mapping.start < other->end;
        bool otherGenerated = other->file->kind == MappedFile::Kind::Generated;
        generatedOnes += otherGenerated;
        if (!overlaps) continue;
        bool within = other->start <= mapping.start && mapping.end <= other->end;
        if (generated && otherGenerated && within) return false;
        if (other->file == mapping.file && within &&
            other->offset + (mapping.start - other->start) == mapping.offset)
            return false;
        break;
    }
    if (space.layout->size() >= mostMappings || (generated && generatedOnes >= mostGenerated)) return false;
    if (space.layout.use_count() > 1) space.layout = std::make_shared<Layout>(*space.layout);
    space.layout->push_back(std::move(mapping));
    return true;
}

void MappingStore::trim(uint64_t now) {
    while (!ended_.empty()) {
        const Ended oldest = ended_.front();
        if (endedBytes_ <= mostEndedBytes && now - oldest.ended < longestKept) break;
        ended_.pop_front();
        endedBytes_ -= oldest.bytes;
        auto found = processes_.find(oldest.pid);
        if (found == processes_.end()) continue;
        spaces_ -= std::erase_if(found->second, [&](const AddressSpace &space) {
            return space.began == oldest.began && space.ended == oldest.ended;
        });
        if (found->second.empty()) processes_.erase(found);
    }
}

std::vector<uint32_t> MappingStore::livePids() const {
    std::vector<uint32_t> pids;
    for (const auto &[pid, spaces] : processes_)
        if (!spaces.back().ended) pids.push_back(pid);
    return pids;
}

void MappingStore::clear() {
    processes_.clear();
    ended_.clear();
    endedBytes_ = spaces_ = 0;
}
