// perf's side-band records (mmap2, comm at exec, fork, exit) of the whole machine: one dummy software event
// and one ring per CPU. Such events belong to no task and no cgroup, so context switches do not know of them.
// mappings_watch.h drains them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mappings_files.h"

struct SideBandRecord {
    enum class Kind { Map, Exec, Fork, Exit } kind;
    uint32_t pid;
    uint32_t parent;
    /// CLOCK_MONOTONIC, ns.
    uint64_t time;
    uint64_t start, end, offset;
    FileKey key;
    std::string path;
};

uint64_t monotonic();

class SideBand {
  public:
    /// Opens and starts the events; throws Failure.
    SideBand();
    ~SideBand();
    SideBand(const SideBand &) = delete;

    /// Takes all records out of the rings and gives those up to `until`, in time order; later ones are kept
    /// for the next call.
    std::vector<SideBandRecord> drain(uint64_t until);
    /// Descriptors that become readable when a ring is half full.
    std::vector<int> descriptors() const;
    uint64_t lost() const { return lost_; }

  private:
    struct Ring {
        Fd event;
        void *memory;
        size_t size;
    };
    void read(Ring &ring);
    void parse(const uint8_t *record, size_t size);

    std::vector<Ring> rings_;
    std::vector<SideBandRecord> pending_;
    std::vector<uint8_t> scratch_;
    uint64_t lost_ = 0;
};
