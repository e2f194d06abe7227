// The thread that reads the packet sockets of a session (capture_source.h), in time order over all of them.
// It knows no JavaScript: batches go to `deliver`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "capture_rows.h"
#include "capture_source.h"

class CaptureThread {
  public:
    struct Options {
        size_t maxRows;
        uint32_t flushMs;
        /// Not 0: only the last packets, so many bytes of them, are given out, when it stops.
        size_t keepBytes;
    };
    using Deliver = std::function<bool(std::unique_ptr<PacketBlock>)>;
    /// A source's interface went away.
    using Gone = std::function<void(uint64_t container, const std::string &why)>;
    using Ended = std::function<void(const std::string &failure)>;

    CaptureThread(Options options, Deliver deliver, Gone gone, Ended ended);
    ~CaptureThread();

    void add(std::unique_ptr<CaptureSource> source);
    /// What is on its way is still read.
    void remove(uint64_t container);
    /// Gives out what was captured until now, then `ended`. abandon: no more batches.
    void stop(bool abandon);
    /// JavaScript has taken a batch.
    void taken(size_t bytes);
    /// By container, those of sources that are gone as well.
    std::map<uint64_t, uint64_t> dropped();

  private:
    struct Source {
        std::unique_ptr<CaptureSource> socket;
        uint32_t label = 0;
        /// When it was asked to go (ns), 0: it stays.
        uint64_t leaving = 0;
        /// Of its losses, what is in dropped_.
        uint64_t lost = 0;
    };

    void run();
    void loop();
    bool readAll(uint64_t until);
    void wait();
    uint32_t labelOf(const CaptureSource &source);
    void flush(bool all);
    void keep(PacketRows &&rows);
    bool giveOut(const PacketRows &rows, size_t count);
    bool crowded() const;
    bool waitForRoom();

    const Options options_;
    Deliver deliver_;
    Gone gone_;
    Ended ended_;
    std::vector<PacketLabel> labels_;
    PacketRows rows_;
    std::deque<PacketRows> kept_;
    size_t keptBytes_ = 0;
    uint64_t lastTime_ = 0;
    bool closed_ = false;
    std::atomic<uint64_t> waitingBatches_{0}, waitingBytes_{0};

    std::mutex lock_;
    std::condition_variable wake_;
    std::vector<Source> sources_, arriving_;
    std::map<uint64_t, uint64_t> dropped_;
    bool stopping_ = false, abandoned_ = false;
    uint64_t end_ = 0;
    int event_;
    std::thread thread_;
};
