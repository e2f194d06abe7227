// See symbols_perfmap.h.

#include "symbols_perfmap.h"

#include <algorithm>
#include <charconv>

#include <sys/stat.h>
#include <unistd.h>

namespace {

/// Node writes about 60 bytes a function; large services come to 100,000 functions.
constexpr uint64_t mostText = 64 << 20;
constexpr size_t mostEntries = 500'000;
constexpr size_t longestName = 1024;
/// How many entries that begin before an address are asked whether they reach it: entries rarely overlap.
constexpr int mostOverlaps = 64;

}  // namespace

void PerfMap::add(std::string_view line) {
    if (entries_.size() >= mostEntries) return;
    const char *at = line.data(), *end = at + line.size();
    auto number = [&](uint64_t &value) {
        if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) at += 2;
        auto [stop, error] = std::from_chars(at, end, value, 16);
        if (error != std::errc() || stop == end || *stop != ' ') return false;
        at = stop + 1;
        return true;
    };
    uint64_t start, size;
    if (!number(start) || !number(size) || size == 0 || at == end) return;
    size_t length = std::min(size_t(end - at), longestName);
    Entry entry = {start, uint32_t(std::min<uint64_t>(size, UINT32_MAX)), uint32_t(names_.size()),
                   uint32_t(length), order_++};
    names_.append(at, length);
    entries_.push_back(entry);
}

void PerfMap::refresh() {
    struct stat status;
    if (fstat(file_->get(), &status) != 0) return;
    if (uint64_t(status.st_size) < consumed_) {
        // Begun anew.
        consumed_ = 0;
        entries_.clear();
        names_.clear();
        order_ = 0;
    }
    if (uint64_t(status.st_size) == consumed_ || consumed_ >= mostText) return;
    std::string text;
    std::vector<char> block(1 << 16);
    uint64_t at = consumed_;
    ssize_t count;
    // A line's end may not have been written yet: what follows the last newline is read again next time.
    while (at < mostText && (count = pread(file_->get(), block.data(), block.size(), off_t(at))) > 0) {
        at += uint64_t(count);
        text.append(block.data(), size_t(count));
        size_t begin = 0, stop;
        while ((stop = text.find('\n', begin)) != std::string::npos) {
            add(std::string_view(text).substr(begin, stop - begin));
            begin = stop + 1;
        }
        consumed_ += begin;
        text.erase(0, begin);
        if (text.size() > (1 << 20)) {
            consumed_ += text.size();
            text.clear();
        }
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry &a, const Entry &b) {
        return a.start != b.start ? a.start < b.start : a.order > b.order;
    });
    auto same = [](const Entry &a, const Entry &b) { return a.start == b.start; };
    entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

std::string_view PerfMap::find(uint64_t address) const {
    auto after = std::upper_bound(entries_.begin(), entries_.end(), address,
                                  [](uint64_t value, const Entry &entry) { return value < entry.start; });
    const Entry *best = nullptr;
    for (int tries = 0; after != entries_.begin() && tries < mostOverlaps; tries++) {
        const Entry &entry = *--after;
        if (address - entry.start < entry.size && (!best || entry.order > best->order)) best = &entry;
    }
    return best ? std::string_view(names_).substr(best->name, best->length) : std::string_view();
}
