// The perf map that a JIT writes: lines of "START SIZE name", numbers in hexadecimal; later lines replace
// earlier ones. Read from the file that mappings_watch.h holds; what it says is the traced process's word.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mappings_files.h"

class PerfMap {
  public:
    explicit PerfMap(std::shared_ptr<const Fd> file) : file_(std::move(file)) {}
    /// Reads what was appended since the last time.
    void refresh();
    /// The name of the code at an address; empty where there is none. Valid until the next refresh.
    std::string_view find(uint64_t address) const;
    const Fd *file() const { return file_.get(); }

  private:
    struct Entry {
        uint64_t start;
        uint32_t size, name, length, order;
    };
    void add(std::string_view line);

    std::shared_ptr<const Fd> file_;
    uint64_t consumed_ = 0;
    uint32_t order_ = 0;
    std::vector<Entry> entries_;
    std::string names_;
};
