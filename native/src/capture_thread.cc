// Reading packet sockets; see capture_thread.h. Rows of many sockets are put in order behind a short wait, as
// a ring's are.

#include "capture_thread.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "errors.h"

namespace {

/// ns that packets come behind their time at the most: a block's age, and a busy machine.
constexpr uint64_t holdBack = uint64_t(captureBlockMs) * 2'500'000;
constexpr size_t batchBytes = 4 << 20, mostHeldBytes = 32 << 20;
constexpr size_t mostWaiting = 8, mostWaitingBytes = 24 << 20;
constexpr uint64_t second = 1'000'000'000;

uint64_t realtime() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return uint64_t(time.tv_sec) * second + uint64_t(time.tv_nsec);
}

struct Reading {
    PacketRows *rows;
    uint64_t since, until, container;
    uint32_t label;
};

void takePacket(uint8_t *context, const pcap_pkthdr *head, const uint8_t *bytes) {
    Reading &reading = *reinterpret_cast<Reading *>(context);
    // Of nanosecond precision (capture_source.cc asks for it), whatever the member is called.
    uint64_t time = uint64_t(head->ts.tv_sec) * second + uint64_t(head->ts.tv_usec);
    if (time < reading.since || time > reading.until) return;
    PacketRows &rows = *reading.rows;
    rows.rows.push_back(
        {time, reading.container, uint32_t(rows.bytes.size()), head->caplen, head->len, reading.label});
    rows.bytes.insert(rows.bytes.end(), bytes, bytes + head->caplen);
}

}  // namespace

CaptureThread::CaptureThread(Options options, Deliver deliver, Gone gone, Ended ended)
    : options_(options),
      deliver_(std::move(deliver)),
      gone_(std::move(gone)),
      ended_(std::move(ended)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) throw systemFailure("make an event file", errno);
    thread_ = std::thread([this] { run(); });
}

CaptureThread::~CaptureThread() {
    stop(true);
    if (thread_.joinable()) thread_.join();
}

void CaptureThread::add(std::unique_ptr<CaptureSource> source) {
    std::lock_guard<std::mutex> hold(lock_);
    if (!stopping_) arriving_.push_back({std::move(source), 0});
    if (event_ >= 0) eventfd_write(event_, 1);
}

void CaptureThread::remove(uint64_t container) {
    std::lock_guard<std::mutex> hold(lock_);
    for (std::vector<Source> *list : {&sources_, &arriving_})
        for (Source &source : *list)
            if (source.socket->options().container == container && source.leaving == 0)
                source.leaving = realtime();
}

void CaptureThread::stop(bool abandon) {
    std::lock_guard<std::mutex> hold(lock_);
    if (!stopping_) end_ = realtime();
    stopping_ = true;
    abandoned_ = abandoned_ || abandon;
    wake_.notify_all();
    if (event_ >= 0) eventfd_write(event_, 1);
}

void CaptureThread::taken(size_t bytes) {
    std::lock_guard<std::mutex> hold(lock_);
    waitingBatches_--;
    waitingBytes_ -= bytes;
    wake_.notify_all();
}

std::map<uint64_t, uint64_t> CaptureThread::dropped() {
    std::lock_guard<std::mutex> hold(lock_);
    return dropped_;
}

bool CaptureThread::crowded() const {
    return waitingBatches_ > mostWaiting || waitingBytes_ > mostWaitingBytes;
}

bool CaptureThread::waitForRoom() {
    std::unique_lock<std::mutex> hold(lock_);
    while (!abandoned_ && crowded()) wake_.wait_for(hold, std::chrono::milliseconds(100));
    return !abandoned_;
}

void CaptureThread::run() {
    pthread_setname_np(pthread_self(), "sonde-packets");
    std::string failure;
    try {
        loop();
    } catch (const std::exception &error) {
        failure = error.what();
    }
    {
        // Sockets keep their namespace in being: they must not wait for a garbage collection.
        std::lock_guard<std::mutex> hold(lock_);
        sources_.clear();
        arriving_.clear();
        close(event_);
        event_ = -1;
        stopping_ = true;
    }
    ended_(failure);
}

void CaptureThread::loop() {
    uint64_t lastFlush = realtime();
    for (;;) {
        wait();
        uint64_t end = 0;
        {
            std::lock_guard<std::mutex> hold(lock_);
            if (abandoned_) return;
            if (stopping_) end = end_;
        }
        // Nobody takes batches just now: the sockets' rings fill, and what they have no room for is counted.
        if (end == 0 && crowded()) continue;
        bool any = readAll(end == 0 ? ~uint64_t(0) : end);
        uint64_t now = realtime();
        if (end != 0 && now > end + holdBack && !any) break;
        if (now - lastFlush < options_.flushMs * second / 1000 && rows_.bytes.size() < batchBytes) continue;
        flush(false);
        lastFlush = now;
        if (closed_) return;
    }
    flush(true);
    for (; !kept_.empty() && !closed_; kept_.pop_front()) {
        if (!giveOut(kept_.front(), kept_.front().rows.size())) return;
    }
}

/// Until a socket has packets, something is asked, or it is time for a look.
void CaptureThread::wait() {
    std::vector<pollfd> files{{event_, POLLIN, 0}};
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (!crowded())
            for (const Source &source : sources_) files.push_back({source.socket->fd(), POLLIN, 0});
    }
    poll(files.data(), nfds_t(files.size()), 50);
    eventfd_t asked;
    if (files[0].revents) eventfd_read(event_, &asked);
}

uint32_t CaptureThread::labelOf(const CaptureSource &source) {
    PacketLabel label{source.options().device, uint32_t(source.linkType())};
    auto found = std::find(labels_.begin(), labels_.end(), label);
    if (found == labels_.end()) found = labels_.insert(labels_.end(), label);
    return uint32_t(found - labels_.begin());
}

/// False where no socket had anything. Sockets of interfaces that are gone, or that were asked to go, are
/// closed.
bool CaptureThread::readAll(uint64_t until) {
    std::vector<std::pair<uint64_t, std::string>> gone;
    bool any = false;
    {
        std::lock_guard<std::mutex> hold(lock_);
        for (Source &source : arriving_) {
            source.label = labelOf(*source.socket);
            sources_.push_back(std::move(source));
        }
        arriving_.clear();
        const uint64_t now = realtime();
        for (size_t i = 0; i < sources_.size();) {
            Source &source = sources_[i];
            const uint64_t container = source.socket->options().container;
            Reading reading{&rows_, source.socket->since(), until, container, source.label};
            const size_t before = rows_.rows.size();
            std::string error;
            bool open = source.socket->read(takePacket, reinterpret_cast<uint8_t *>(&reading), &error);
            any = any || rows_.rows.size() > before;
            const uint64_t lost = source.socket->dropped();
            dropped_[container] += lost - std::exchange(source.lost, lost);
            bool left = source.leaving != 0 && now > source.leaving + holdBack;
            if (open && !left) {
                i++;
                continue;
            }
            if (!open && source.leaving == 0 && until == ~uint64_t(0)) gone.emplace_back(container, error);
            sources_.erase(sources_.begin() + long(i));
        }
    }
    for (const auto &[container, error] : gone) gone_(container, error);
    return any;
}

/// Gives out, or keeps for the end, what is old enough to be in order, or all of it.
void CaptureThread::flush(bool all) {
    std::vector<PacketRow> &rows = rows_.rows;
    auto earlier = [](const PacketRow &a, const PacketRow &b) { return a.time < b.time; };
    if (!std::is_sorted(rows.begin(), rows.end(), earlier))
        std::stable_sort(rows.begin(), rows.end(), earlier);
    size_t ready = rows.size();
    const uint64_t newest = realtime() - holdBack;
    if (!all && rows_.bytes.size() < mostHeldBytes)
        ready = size_t(std::partition_point(rows.begin(), rows.end(),
                                            [&](const PacketRow &row) { return row.time <= newest; }) -
                       rows.begin());
    if (ready == 0) return;
    PacketRows rest;
    for (size_t i = ready; i < rows.size(); i++) {
        PacketRow row = rows[i];
        const uint8_t *from = rows_.bytes.data() + row.offset;
        row.offset = uint32_t(rest.bytes.size());
        rest.bytes.insert(rest.bytes.end(), from, from + row.length);
        rest.rows.push_back(row);
    }
    PacketRows whole = std::exchange(rows_, std::move(rest));
    if (options_.keepBytes == 0) {
        giveOut(whole, ready);
        return;
    }
    whole.rows.resize(ready);
    keep(std::move(whole));
}

/// The oldest packets make room for the newest, one by one.
void CaptureThread::keep(PacketRows &&fresh) {
    for (const PacketRow &row : fresh.rows) keptBytes_ += row.length;
    kept_.push_back(std::move(fresh));
    while (keptBytes_ > options_.keepBytes && !kept_.empty()) {
        std::vector<PacketRow> &rows = kept_.front().rows;
        size_t going = 0;
        for (; going < rows.size() && keptBytes_ > options_.keepBytes; going++)
            keptBytes_ -= rows[going].length;
        rows.erase(rows.begin(), rows.begin() + long(going));
        if (rows.empty()) kept_.pop_front();
    }
}

/// False when nobody takes batches any more.
bool CaptureThread::giveOut(const PacketRows &source, size_t count) {
    for (size_t from = 0; from < count;) {
        size_t bytes = 0, next = from;
        while (next < count && next - from < options_.maxRows && bytes < batchBytes)
            bytes += source.rows[next++].length;
        if (!waitForRoom()) return false;
        std::unique_ptr<PacketBlock> block = packetBlock(source, from, next - from, labels_);
        for (size_t i = from; i < next && source.rows[i].time < lastTime_; i++) block->late++;
        lastTime_ = std::max(lastTime_, source.rows[next - 1].time);
        waitingBatches_++;
        waitingBytes_ += block->size;
        if (!deliver_(std::move(block))) closed_ = true;
        if (closed_) return false;
        from = next;
    }
    return true;
}
