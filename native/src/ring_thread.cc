// Draining a ring buffer; see ring_thread.h. Programs never wake this thread: it looks at intervals that
// follow how fast the ring fills.

#include "ring_thread.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include <linux/bpf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "errors.h"

namespace {

constexpr uint64_t holdBack = 20'000'000;  // ns: CPUs write records out of order by less than this
constexpr size_t batchBytes = 4 << 20;
constexpr size_t mostWaiting = 32, mostWaitingBytes = 24 << 20;
constexpr size_t mostIncomplete = 1 << 16, mostIncompleteBytes = 32 << 20;

uint64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return uint64_t(time.tv_sec) * 1000000000 + uint64_t(time.tv_nsec);
}

template <typename Word>
Word load(const uint8_t *at) {
    Word word;
    memcpy(&word, at, sizeof word);
    return word;
}

}  // namespace

RingMapping::RingMapping(int fd, size_t size) : size_(size), page_(size_t(sysconf(_SC_PAGESIZE))) {
    if (!std::has_single_bit(size))
        throw Failure(Code::InvalidArgument, "a ring buffer's size must be a power of two");
    void *consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (consumer == MAP_FAILED) throw systemFailure("map a ring buffer", errno);
    void *producer = mmap(nullptr, page_ + 2 * size_, PROT_READ, MAP_SHARED, fd, off_t(page_));
    if (producer == MAP_FAILED) {
        int error = errno;
        munmap(consumer, page_);
        throw systemFailure("map a ring buffer", error);
    }
    consumer_ = static_cast<uint64_t *>(consumer);
    producer_ = static_cast<const uint64_t *>(producer);
    data_ = static_cast<const uint8_t *>(producer) + page_;
}

RingMapping::~RingMapping() {
    unmap();
}

void RingMapping::unmap() {
    if (consumer_ == nullptr) return;
    munmap(std::exchange(consumer_, nullptr), page_);
    munmap(const_cast<uint64_t *>(std::exchange(producer_, nullptr)), page_ + 2 * size_);
    data_ = nullptr;
}

RingThread::RingThread(int fd, size_t size, RingPlan plan, Options options, Deliver deliver, Ended ended)
    : ring_(fd, size),
      plan_(std::move(plan)),
      options_(options),
      deliver_(std::move(deliver)),
      ended_(std::move(ended)),
      writer_(plan_),
      thread_([this] { run(); }) {}

RingThread::~RingThread() {
    stop(true);
    if (thread_.joinable()) thread_.join();
}

void RingThread::release() {
    if (thread_.joinable()) thread_.join();
    ring_.unmap();
    rows_ = RingRows();
    spare_ = RingRows();
    incomplete_.clear();
}

void RingThread::stop(bool abandon) {
    std::lock_guard<std::mutex> hold(lock_);
    stopping_ = true;
    abandoned_ = abandoned_ || abandon;
    wake_.notify_all();
}

void RingThread::taken(size_t bytes) {
    std::lock_guard<std::mutex> hold(lock_);
    counters_.waitingBatches--;
    counters_.waitingBytes -= bytes;
    if (stopping_) wake_.notify_all();
}

bool RingThread::crowded() const {
    return counters_.waitingBatches > mostWaiting || counters_.waitingBytes > mostWaitingBytes;
}

/// At the end, when batches may not be dropped: false when nobody will take them.
bool RingThread::waitForRoom() {
    std::unique_lock<std::mutex> hold(lock_);
    while (!abandoned_ && crowded()) wake_.wait_for(hold, std::chrono::milliseconds(100));
    return !abandoned_;
}

void RingThread::run() {
    pthread_setname_np(pthread_self(), "sonde-ring");
    std::string failure;
    try {
        loop();
    } catch (const std::exception &error) {
        failure = error.what();
    }
    counters_.cpuNanoseconds = now(CLOCK_THREAD_CPUTIME_ID);
    ended_(failure);
}

void RingThread::loop() {
    using std::chrono::microseconds;
    // The ring may not fill between two looks even at 400 MB/s; but no look costs much at 20 ms.
    const int64_t longest = std::clamp<int64_t>(int64_t(ring_.size() / 400), 1000, 20000);
    const int64_t target = int64_t(ring_.size() / 16);
    int64_t sleep = 1000;
    uint64_t lastFlush = now(CLOCK_MONOTONIC), lastLook = lastFlush;
    for (;;) {
        {
            std::unique_lock<std::mutex> hold(lock_);
            if (!stopping_) wake_.wait_for(hold, microseconds(sleep), [this] { return stopping_; });
            if (stopping_) break;
        }
        uint64_t before = counters_.bytes;
        bool idle = crowded() || !drain(ring_.producer());
        uint64_t time = now(CLOCK_MONOTONIC);
        // So long that a sixteenth of the ring fills at the rate seen.
        uint64_t taken = counters_.bytes - before;
        int64_t elapsed = int64_t(time - lastLook) / 1000;
        sleep = taken ? std::clamp<int64_t>(target * elapsed / int64_t(taken), 1000, longest) : longest;
        lastLook = time;
        bool due = time - lastFlush >= uint64_t(options_.flushMs) * 1'000'000;
        if (!rows_.rows.empty() && !crowded() &&
            (due || rows_.rows.size() >= options_.maxRows || rows_.bytes.size() >= batchBytes)) {
            flush(false);
            lastFlush = time;
        }
        if (rows_.rows.empty() && due) lastFlush = time;
        if (!idle || due) counters_.cpuNanoseconds = now(CLOCK_THREAD_CPUTIME_ID);
        if (closed_) return;
    }
    if (abandoned_) return;
    // What was in the ring when stop was called; a record that a program is still writing gets a moment.
    uint64_t until = ring_.producer();
    for (int tries = 0; tries < 20 && ring_.consumer() < until && !closed_; tries++) {
        if (!waitForRoom()) return;
        drain(until);
        if (ring_.consumer() < until) std::this_thread::sleep_for(microseconds(500));
    }
    giveOutIncomplete();
    flush(true);
}

/// Takes records up to a position; false where there was none. Stops at a full batch, to keep memory bounded.
bool RingThread::drain(uint64_t until) {
    uint64_t position = ring_.consumer(), records = 0;
    const uint64_t from = position;
    while (position < until) {
        const uint8_t *at = ring_.at(position);
        uint32_t word = __atomic_load_n(reinterpret_cast<const uint32_t *>(at), __ATOMIC_ACQUIRE);
        if (word & BPF_RINGBUF_BUSY_BIT) break;
        uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
            accept(at + BPF_RINGBUF_HDR_SZ, length);
            records++;
        }
        position += (uint64_t(length) + BPF_RINGBUF_HDR_SZ + 7) & ~uint64_t(7);
        // Room for the programs again, not at every record: they share the cache line.
        if (position - ring_.consumer() > ring_.size() / 16) ring_.consume(position);
        if (rows_.bytes.size() >= flushAt_) {
            ring_.consume(position);
            flush(false);
            if (closed_ || crowded()) break;
        }
    }
    if (position != from) ring_.consume(position);
    counters_.records += records;
    counters_.bytes += position - from;
    return records > 0;
}

void RingThread::row(const uint8_t *record, uint32_t length, const uint8_t *second, uint32_t secondLength,
                     bool completed) {
    RingRow row{};
    row.offset = rows_.append(record, length, plan_.fixedSize);
    row.length = length;
    row.time = load<uint64_t>(rows_.bytes.data() + row.offset + plan_.timeOffset);
    row.completed = completed;
    if (completed) {
        row.secondOffset = rows_.append(second, secondLength, plan_.secondSize);
        row.secondLength = secondLength;
    }
    rows_.rows.push_back(row);
}

void RingThread::accept(const uint8_t *record, uint32_t length) {
    if (!plan_.completes) return row(record, length, nullptr, 0, false);
    uint64_t kind = 0;
    if (length < plan_.kindOffset + plan_.kindWidth) return;
    memcpy(&kind, record + plan_.kindOffset, plan_.kindWidth);
    uint32_t idOffset = kind ? plan_.secondIdOffset : plan_.idOffset;
    if (length < idOffset + 8) return;
    uint64_t id = load<uint64_t>(record + idOffset);
    auto found = incomplete_.find(id);
    if (kind) {
        // A completion of what was there before us has nothing to complete.
        if (found == incomplete_.end()) return;
        row(found->second.data(), uint32_t(found->second.size()), record, length, true);
        incompleteBytes_ -= found->second.size();
        incomplete_.erase(found);
        return;
    }
    if (found != incomplete_.end()) {
        // The same id again (an exec after an exec): the earlier one will not be completed.
        row(found->second.data(), uint32_t(found->second.size()), nullptr, 0, false);
        incompleteBytes_ -= found->second.size();
        found->second.assign(record, record + length);
    } else {
        incomplete_.emplace(id, std::vector<uint8_t>(record, record + length));
    }
    incompleteBytes_ += length;
    if (incomplete_.size() > mostIncomplete || incompleteBytes_ > mostIncompleteBytes) giveOutIncomplete();
}

void RingThread::giveOutIncomplete() {
    for (const auto &[id, record] : incomplete_)
        row(record.data(), uint32_t(record.size()), nullptr, 0, false);
    incomplete_.clear();
    incompleteBytes_ = 0;
}

/// Gives out what is old enough to be in order, or all of it.
void RingThread::flush(bool all) {
    sortRows(rows_.rows);
    const uint64_t time = now(CLOCK_MONOTONIC), newest = time - holdBack;
    std::vector<RingRow> &rows = rows_.rows;
    size_t ready = rows.size();
    // Times in the future are not of this clock, and wait for nothing.
    if (!all && rows_.bytes.size() < batchBytes * 2)
        ready = size_t(std::partition_point(rows.begin(), rows.end(),
                                            [&](const RingRow &row) { return row.time <= newest; }) -
                       rows.begin());
    if (!all && ready < rows.size() && rows.back().time > time) ready = rows.size();
    for (size_t from = 0; from < ready && !closed_;) {
        size_t count = std::min(options_.maxRows, ready - from);
        if (all && !waitForRoom()) return;
        std::unique_ptr<ColumnBlock> block = writer_.write(rows_, rows.data() + from, count);
        for (size_t i = from; i < from + count && rows[i].time < lastTime_; i++) block->late++;
        lastTime_ = std::max(lastTime_, rows[from + count - 1].time);
        counters_.waitingBatches++;
        counters_.waitingBytes += block->size;
        if (!deliver_(std::move(block))) closed_ = true;
        from += count;
    }
    // What is held back moves to the front of fresh memory.
    spare_.clear();
    for (size_t i = ready; i < rows.size(); i++) {
        RingRow row = rows[i];
        row.offset = spare_.append(rows_.bytes.data() + row.offset, row.length, plan_.fixedSize);
        if (row.completed)
            row.secondOffset =
                spare_.append(rows_.bytes.data() + row.secondOffset, row.secondLength, plan_.secondSize);
        spare_.rows.push_back(row);
    }
    std::swap(rows_, spare_);
    flushAt_ = std::max(batchBytes, rows_.bytes.size() + batchBytes / 4);
}
