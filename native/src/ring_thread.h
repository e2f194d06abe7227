// The thread that drains a ring buffer on a timer. It knows no JavaScript: batches go to `deliver`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "ring_columns.h"

struct RingCounters {
    std::atomic<uint64_t> records{0}, bytes{0}, cpuNanoseconds{0};
    /// Batches handed over that JavaScript has not seen yet.
    std::atomic<uint64_t> waitingBatches{0}, waitingBytes{0};
};

/// A ring buffer's pages, mapped by a file descriptor of its own: independent of the object's life.
class RingMapping {
  public:
    RingMapping(int fd, size_t size);
    ~RingMapping();
    RingMapping(const RingMapping &) = delete;
    /// Gives the pages back now; nothing can be read after it.
    void unmap();
    bool mapped() const { return consumer_ != nullptr; }
    uint64_t producer() const { return __atomic_load_n(producer_, __ATOMIC_ACQUIRE); }
    uint64_t consumer() const { return __atomic_load_n(consumer_, __ATOMIC_RELAXED); }
    void consume(uint64_t position) { __atomic_store_n(consumer_, position, __ATOMIC_RELEASE); }
    /// The length word and what follows it, contiguous over the ring's end.
    const uint8_t *at(uint64_t position) const { return data_ + (position & (size_ - 1)); }
    size_t size() const { return size_; }

  private:
    size_t size_, page_;
    uint64_t *consumer_ = nullptr;
    const uint64_t *producer_ = nullptr;
    const uint8_t *data_ = nullptr;
};

class RingThread {
  public:
    struct Options {
        size_t maxRows;
        uint32_t flushMs;
    };
    /// deliver: false when nobody takes batches any more. ended: the thread's last words; the failure, empty
    /// when all is well.
    using Deliver = std::function<bool(std::unique_ptr<ColumnBlock>)>;
    using Ended = std::function<void(const std::string &failure)>;

    RingThread(int fd, size_t size, RingPlan plan, Options options, Deliver deliver, Ended ended);
    ~RingThread();

    /// Drains what is there, gives out the last batches, then `ended`. abandon: no more batches.
    void stop(bool abandon);
    /// JavaScript has taken a batch.
    void taken(size_t bytes);
    const RingPlan &plan() const { return plan_; }
    const RingCounters &counters() const { return counters_; }
    uint64_t pending() const { return ring_.mapped() ? ring_.producer() - ring_.consumer() : 0; }
    /// After `ended`: gives the ring's pages and all buffers back; the counters stay.
    void release();

  private:
    void run();
    void loop();
    bool drain(uint64_t until);
    void accept(const uint8_t *record, uint32_t length);
    void row(const uint8_t *record, uint32_t length, const uint8_t *second, uint32_t secondLength,
             bool completed);
    void giveOutIncomplete();
    void flush(bool all);
    bool crowded() const;
    bool waitForRoom();

    RingMapping ring_;
    const RingPlan plan_;
    const Options options_;
    Deliver deliver_;
    Ended ended_;
    RingCounters counters_;
    ColumnWriter writer_;
    RingRows rows_, spare_;
    std::unordered_map<uint64_t, std::vector<uint8_t>> incomplete_;
    size_t incompleteBytes_ = 0;
    /// Bytes of rows at which a drain pauses to give some out.
    size_t flushAt_ = 4 << 20;
    uint64_t lastTime_ = 0;
    bool closed_ = false;

    std::mutex lock_;
    std::condition_variable wake_;
    bool stopping_ = false, abandoned_ = false;
    std::thread thread_;
};
