// Who had what mapped when: per process a row of address spaces (one per fork or exec), each with its
// executable mappings. Fed by mappings_events.h through mappings_watch.h, asked by symbols_resolve.h. No I/O;
// callers hold the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mappings_files.h"

struct Mapping {
    uint64_t start, end, offset;
    /// When it came (CLOCK_MONOTONIC, ns): a later one over the same addresses hides it from then on.
    uint64_t since;
    std::shared_ptr<MappedFile> file;
};

/// Mappings in the order they came. Shared by a parent and its forks until one of them changes.
using Layout = std::vector<Mapping>;

/// The file in which a JIT writes what it generated: /tmp/perf-PID.map of the process's own root. Behind the
/// watch's lock.
struct PerfMapFile {
    uint32_t pid;
    /// As the process itself sees its pid; 0 until known.
    uint32_t innerPid = 0;
    /// Whose file it must be, unless root's: anyone may write to /tmp.
    uint32_t owner = 0;
    std::shared_ptr<const Root> root = {};
    std::shared_ptr<const Fd> held = {};
    uint64_t nextTry = 0, interval = 0;
};

struct AddressSpace {
    /// 0: it was there before the watch.
    uint64_t began;
    /// 0: it still lives.
    uint64_t ended = 0;
    uint32_t parent = 0;
    std::shared_ptr<Layout> layout = {};
    std::shared_ptr<const Root> root = {};
    std::shared_ptr<PerfMapFile> perfMap = {};
    /// The parent's, for code generated before the fork.
    std::shared_ptr<PerfMapFile> inheritedPerfMap = {};
};

class MappingStore {
  public:
    /// The address space that lives now; null for a pid not known.
    AddressSpace *live(uint32_t pid);
    /// The address space of a pid at a moment; null where none is known.
    const AddressSpace *at(uint32_t pid, uint64_t time) const;
    static const Mapping *find(const Layout &layout, uint64_t time, uint64_t address);

    AddressSpace &adopt(uint32_t pid, uint64_t began);
    void fork(uint32_t pid, uint32_t parent, uint64_t time);
    void exec(uint32_t pid, uint64_t time);
    void exit(uint32_t pid, uint64_t time);
    /// False where the same mapping is there already.
    static bool map(AddressSpace &space, Mapping mapping);
    /// Forgets address spaces that ended long ago, or beyond the memory allowed for ended ones, oldest first.
    void trim(uint64_t now);
    std::vector<uint32_t> livePids() const;
    void clear();

    size_t bytesOfEnded() const { return endedBytes_; }
    size_t spaces() const { return spaces_; }

  private:
    struct Ended {
        uint32_t pid;
        uint64_t began, ended;
        size_t bytes;
    };
    AddressSpace &begin(uint32_t pid, AddressSpace space);
    void end(uint32_t pid, AddressSpace &space, uint64_t time);

    std::unordered_map<uint32_t, std::vector<AddressSpace>> processes_;
    std::deque<Ended> ended_;
    size_t endedBytes_ = 0;
    size_t spaces_ = 0;
};
