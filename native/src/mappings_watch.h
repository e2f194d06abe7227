// The watch on mappings: a thread that drains perf's side-band into the store and opens new files while they
// can still be had. native/src/mappings.cc gives it to JavaScript as Mappings; symbols_resolve.h asks it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "mappings_events.h"
#include "mappings_files.h"
#include "mappings_store.h"

/// What a symbolizer needs of one address space: its own copies, valid for good.
struct AddressSpaceView {
    std::shared_ptr<const Layout> layout;
    /// The process's own, then the one inherited.
    std::vector<std::shared_ptr<const Fd>> perfMaps;
};

class MappingWatch {
  public:
    /// Without `sideBand` nothing is watched: each view reads /proc/PID/maps as it is then. Throws Failure.
    explicit MappingWatch(bool sideBand);
    ~MappingWatch();

    /// Has the thread read a process's maps; returns at once.
    void addProcess(uint32_t pid);
    /// The address space of a process at a moment. Waits until the side-band has been read up to then.
    std::optional<AddressSpaceView> view(uint32_t pid, uint64_t time);
    void close();

    struct Counters {
        uint64_t records, lost;
        size_t files, spaces, endedBytes;
        uint64_t cpuNanoseconds;
    };
    Counters counters();
    FileTable &files() { return files_; }

  private:
    void run();
    void drain(uint64_t until);
    void apply(const SideBandRecord &record);
    AddressSpace &known(uint32_t pid);
    void readMaps(uint32_t pid, AddressSpace &space);
    void add(uint32_t pid, AddressSpace &space, Mapping mapping, FileKey key, const std::string &path);
    std::vector<std::shared_ptr<const Root>> roots(uint32_t pid, AddressSpace &space);
    void openPerfMap(PerfMapFile &file);
    void openPerfMaps(uint64_t now);
    void sweep();

    FileTable files_;
    std::mutex lock_;
    std::condition_variable drained_;
    MappingStore store_;
    std::optional<SideBand> sideBand_;
    /// Behind a lock of their own: the main thread never waits for a file to be opened.
    std::mutex addedLock_;
    std::vector<uint32_t> added_;
    std::vector<std::weak_ptr<PerfMapFile>> awaited_;
    uint64_t drainedUntil_ = 0;
    std::atomic<uint64_t> records_ = 0, lost_ = 0;
    std::atomic<size_t> spaces_ = 0, endedBytes_ = 0;
    uint64_t sweptLost_ = 0, sweptAt_ = 0;
    std::atomic<bool> closed_ = false;
    Fd wake_;
    std::atomic<uint64_t> cpuNanoseconds_ = 0;
    std::thread thread_;
};
