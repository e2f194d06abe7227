// See mappings_events.h.

#include "mappings_events.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "errors.h"

namespace {

/// 256 KiB per CPU hold about 200 execs in a row; less where the machine's limit for perf memory is low.
constexpr size_t mostPages = 64;
constexpr size_t fewestPages = 4;
/// pid, tid, time: appended to every record by sample_id_all.
constexpr size_t trailer = 16;

std::vector<int> onlineCpus() {
    std::vector<int> cpus;
    FILE *file = fopen("/sys/devices/system/cpu/online", "re");
    if (!file) return {0};
    int first, last;
    while (fscanf(file, "%d", &first) == 1) {
        last = first;
        int next = fgetc(file);
        if (next == '-') {
            if (fscanf(file, "%d", &last) != 1) break;
            next = fgetc(file);
        }
        for (int cpu = first; cpu <= last && cpus.size() < 4096; cpu++) cpus.push_back(cpu);
        if (next != ',') break;
    }
    fclose(file);
    return cpus;
}

template <typename T>
T at(const uint8_t *bytes, size_t offset) {
    T value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

Failure refused(int error) {
    std::string tried = "watching which files processes map (a software perf event on every CPU)";
    if (error == EACCES || error == EPERM)
        return Failure(Code::PermissionDenied,
                       tried +
                           " was refused: it needs root or CAP_PERFMON, or kernel.perf_event_paranoid at 0 "
                           "or less",
                       error);
    if (error == ENOSYS || error == ENOENT || error == EINVAL || error == EOPNOTSUPP)
        return Failure(Code::NotSupported, tried + " is not possible with this kernel", error);
    return systemFailure(tried, error);
}

}  // namespace

uint64_t monotonic() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

SideBand::SideBand() {
    size_t page = size_t(sysconf(_SC_PAGESIZE));
    size_t pages = mostPages;
    for (int cpu : onlineCpus()) {
        perf_event_attr attr = {};
        attr.size = sizeof attr;
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_DUMMY;
        attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
        attr.sample_id_all = 1;
        attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 1;
        attr.exclude_kernel = attr.exclude_hv = 1;
        attr.use_clockid = 1;
        attr.clockid = CLOCK_MONOTONIC;
        attr.watermark = 1;
        attr.wakeup_watermark = uint32_t(pages * page / 2);
        Fd event(int(syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
        if (!event && errno == ENODEV) continue;
        if (!event) throw refused(errno);
        void *memory = MAP_FAILED;
        for (; pages >= fewestPages; pages /= 2) {
            memory = mmap(nullptr, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), 0);
            if (memory != MAP_FAILED || (errno != EPERM && errno != ENOMEM)) break;
        }
        if (memory == MAP_FAILED) {
            int error = errno;
            if (error == EPERM)
                throw Failure(
                    Code::Exhausted,
                    "no memory may be locked for another perf ring: raise kernel.perf_event_mlock_kb or "
                    "give CAP_IPC_LOCK",
                    error);
            throw refused(error);
        }
        rings_.push_back({std::move(event), memory, pages * page});
    }
    if (rings_.empty()) throw refused(ENODEV);
}

SideBand::~SideBand() {
    size_t page = size_t(sysconf(_SC_PAGESIZE));
    for (auto &ring : rings_) munmap(ring.memory, ring.size + page);
}

std::vector<int> SideBand::descriptors() const {
    std::vector<int> numbers;
    for (const auto &ring : rings_) numbers.push_back(ring.event.get());
    return numbers;
}

void SideBand::read(Ring &ring) {
    auto *control = static_cast<perf_event_mmap_page *>(ring.memory);
    const uint8_t *data = static_cast<uint8_t *>(ring.memory) + size_t(sysconf(_SC_PAGESIZE));
    uint64_t head = std::atomic_ref(control->data_head).load(std::memory_order_acquire);
    uint64_t tail = control->data_tail;
    while (tail + sizeof(perf_event_header) <= head) {
        size_t place = tail % ring.size;
        // Records are aligned to 8 bytes: a header never wraps.
        auto header = at<perf_event_header>(data, place);
        if (header.size < sizeof header || tail + header.size > head) break;
        const uint8_t *record = data + place;
        if (place + header.size > ring.size) {
            scratch_.resize(header.size);
            size_t first = ring.size - place;
            memcpy(scratch_.data(), record, first);
            memcpy(scratch_.data() + first, data, header.size - first);
            record = scratch_.data();
        }
        parse(record, header.size);
        tail += header.size;
    }
    std::atomic_ref(control->data_tail).store(tail, std::memory_order_release);
}

void SideBand::parse(const uint8_t *bytes, size_t size) {
    auto header = at<perf_event_header>(bytes, 0);
    const uint8_t *body = bytes + sizeof header;
    size -= sizeof header;
    if (size < trailer + 16) return;
    SideBandRecord record = {};
    record.pid = at<uint32_t>(body, 0);
    record.time = at<uint64_t>(body, size - 8);
    switch (header.type) {
        case PERF_RECORD_MMAP2: {
            constexpr size_t name = 64;
            if (size < name + trailer || (header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) return;
            record.kind = SideBandRecord::Kind::Map;
            record.start = at<uint64_t>(body, 8);
            record.end = record.start + at<uint64_t>(body, 16);
            record.offset = at<uint64_t>(body, 24);
            record.key = {at<uint32_t>(body, 32), at<uint32_t>(body, 36), at<uint64_t>(body, 40)};
            const char *path = reinterpret_cast<const char *>(body + name);
            record.path.assign(path, strnlen(path, size - name - trailer));
            if (record.end <= record.start) return;
            break;
        }
        case PERF_RECORD_COMM:
            if (!(header.misc & PERF_RECORD_MISC_COMM_EXEC)) return;
            record.kind = SideBandRecord::Kind::Exec;
            break;
        case PERF_RECORD_FORK:
        case PERF_RECORD_EXIT:
            if (size < 24 + trailer) return;
            record.parent = at<uint32_t>(body, 4);
            // A new thread has its process's pid as parent; of a process's ends, its first thread's counts.
            if (header.type == PERF_RECORD_FORK ? record.pid == record.parent
                                                : record.pid != at<uint32_t>(body, 8))
                return;
            record.kind =
                header.type == PERF_RECORD_FORK ? SideBandRecord::Kind::Fork : SideBandRecord::Kind::Exit;
            break;
        case PERF_RECORD_LOST:
            lost_ += at<uint64_t>(body, 8);
            return;
        default:
            return;
    }
    // Tasks outside this pid namespace have no number here.
    if (record.pid == 0 || record.pid == UINT32_MAX) return;
    pending_.push_back(std::move(record));
}

std::vector<SideBandRecord> SideBand::drain(uint64_t until) {
    for (auto &ring : rings_) read(ring);
    auto earlier = [](const SideBandRecord &a, const SideBandRecord &b) { return a.time < b.time; };
    std::stable_sort(pending_.begin(), pending_.end(), earlier);
    auto later = std::partition_point(pending_.begin(), pending_.end(),
                                      [&](const SideBandRecord &record) { return record.time <= until; });
    std::vector<SideBandRecord> ready(std::make_move_iterator(pending_.begin()),
                                      std::make_move_iterator(later));
    pending_.erase(pending_.begin(), later);
    return ready;
}
