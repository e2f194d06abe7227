// See mappings_watch.h.

#include "mappings_watch.h"

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors.h"

namespace {

constexpr uint64_t millisecond = 1'000'000;
/// A record's time is taken before it is written: what is younger than this may still be preceded by another
/// CPU's.
constexpr uint64_t settling = millisecond;
/// A process that ends sooner than this in a mount namespace of its own may take its files with it.
constexpr int drainMilliseconds = 10;
constexpr uint64_t firstRetry = 50 * millisecond, longestRetry = 5000 * millisecond;
constexpr size_t mostAwaited = 4096;
constexpr size_t largestMaps = 16 << 20;

std::string slurp(const std::string &path, size_t most) {
    std::string text;
    Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return text;
    char block[16384];
    ssize_t count;
    while (text.size() < most && (count = read(file.get(), block, sizeof block)) > 0)
        text.append(block, size_t(count));
    return text;
}

std::string folderOf(uint32_t pid) {
    return "/proc/" + std::to_string(pid);
}

/// The pid that the process sees itself: the last number of NSpid.
uint32_t innerPid(uint32_t pid) {
    std::string status = slurp(folderOf(pid) + "/status", 16384);
    size_t line = status.find("\nNSpid:");
    if (line == std::string::npos) return 0;
    size_t stop = status.find('\n', line + 1);
    size_t last = status.find_last_of("\t ", stop);
    return last == std::string::npos ? 0 : uint32_t(strtoul(status.c_str() + last + 1, nullptr, 10));
}

/// The kernel writes a newline in a path as \012 in maps.
std::string unescaped(std::string path) {
    for (size_t at = path.find("\\012"); at != std::string::npos; at = path.find("\\012", at + 1))
        path.replace(at, 4, "\n");
    return path;
}

}  // namespace

MappingWatch::MappingWatch(bool sideBand) {
    if (!sideBand) return;
    sideBand_.emplace();
    wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) throw systemFailure("making an event descriptor", errno);
    // Signals stay with the threads that Node expects them on.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

MappingWatch::~MappingWatch() {
    close();
}

void MappingWatch::close() {
    if (closed_.exchange(true)) return;
    if (thread_.joinable()) {
        eventfd_write(wake_.get(), 1);
        thread_.join();
    }
    std::lock_guard guard(lock_);
    sideBand_.reset();
    store_.clear();
    awaited_.clear();
    files_.clear();
    drained_.notify_all();
}

void MappingWatch::addProcess(uint32_t pid) {
    if (!sideBand_) return;
    std::lock_guard guard(addedLock_);
    added_.push_back(pid);
    eventfd_write(wake_.get(), 1);
}

MappingWatch::Counters MappingWatch::counters() {
    return {records_, lost_, files_.open(), spaces_, endedBytes_, cpuNanoseconds_};
}

void MappingWatch::run() {
    pthread_setname_np(pthread_self(), "sonde-mappings");
    std::vector<pollfd> waits;
    for (int number : sideBand_->descriptors()) waits.push_back({number, POLLIN, 0});
    waits.push_back({wake_.get(), POLLIN, 0});
    while (!closed_) {
        poll(waits.data(), waits.size(), drainMilliseconds);
        if (waits.back().revents) {
            eventfd_t ignored;
            eventfd_read(wake_.get(), &ignored);
            // Someone waits for what happened until now.
            usleep(useconds_t(settling / 1000));
        }
        if (closed_) break;
        drain(monotonic() - settling);
        timespec used;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        cpuNanoseconds_ = uint64_t(used.tv_sec) * 1'000'000'000 + uint64_t(used.tv_nsec);
    }
}

void MappingWatch::drain(uint64_t until) {
    std::lock_guard guard(lock_);
    for (const auto &record : sideBand_->drain(until)) {
        records_++;
        apply(record);
    }
    std::vector<uint32_t> added;
    {
        std::lock_guard queue(addedLock_);
        added.swap(added_);
    }
    for (uint32_t pid : added) {
        AddressSpace *space = store_.live(pid);
        readMaps(pid, space ? *space : store_.adopt(pid, 0));
    }
    openPerfMaps(until);
    store_.trim(until);
    lost_ = sideBand_->lost();
    sweep();
    spaces_ = store_.spaces();
    endedBytes_ = store_.bytesOfEnded();
    drainedUntil_ = until;
    drained_.notify_all();
}

/// Ends that were lost leave processes that seem to live: they are asked for once a minute.
void MappingWatch::sweep() {
    if (lost_ == sweptLost_ || drainedUntil_ < sweptAt_ + 60'000 * millisecond) return;
    sweptLost_ = lost_;
    sweptAt_ = drainedUntil_;
    for (uint32_t pid : store_.livePids())
        if (access(folderOf(pid).c_str(), F_OK) != 0) store_.exit(pid, drainedUntil_);
}

void MappingWatch::apply(const SideBandRecord &record) {
    switch (record.kind) {
        case SideBandRecord::Kind::Fork:
            known(record.parent);
            store_.fork(record.pid, record.parent, record.time);
            return;
        case SideBandRecord::Kind::Exec:
            store_.exec(record.pid, record.time);
            return;
        case SideBandRecord::Kind::Map:
            add(record.pid, known(record.pid),
                {record.start, record.end, record.offset, record.time, nullptr}, record.key, record.path);
            return;
        case SideBandRecord::Kind::Exit:
            if (AddressSpace *space = store_.live(record.pid))
                if (space->perfMap) openPerfMap(*space->perfMap);
            store_.exit(record.pid, record.time);
    }
}

/// A process's address space; where it was there before the watch, as /proc shows it now.
AddressSpace &MappingWatch::known(uint32_t pid) {
    if (AddressSpace *space = store_.live(pid)) return *space;
    AddressSpace &made = store_.adopt(pid, 0);
    readMaps(pid, made);
    return made;
}

void MappingWatch::readMaps(uint32_t pid, AddressSpace &space) {
    std::string text = slurp(folderOf(pid) + "/maps", largestMaps);
    for (size_t at = 0, stop; at < text.size(); at = stop + 1) {
        stop = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, stop - at);
        uint64_t start, end, offset, inode;
        unsigned int high, low;
        char flags[5];
        int name = 0;
        if (sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &start, &end,
                   flags, &offset, &high, &low, &inode, &name) < 7 ||
            flags[2] != 'x' || end <= start)
            continue;
        std::string path = name ? unescaped(line.substr(size_t(name))) : "";
        add(pid, space, {start, end, offset, space.began, nullptr}, {high, low, inode}, path);
    }
}

void MappingWatch::add(uint32_t pid, AddressSpace &space, Mapping mapping, FileKey key,
                       const std::string &path) {
    mapping.file = files_.file(
        key, path, [&]() -> MappedBy { return {pid, mapping.start, mapping.end, roots(pid, space)}; });
    bool generated = mapping.file->kind == MappedFile::Kind::Generated;
    MappingStore::map(space, std::move(mapping));
    if (!generated || space.perfMap) return;
    auto made = std::make_shared<PerfMapFile>(PerfMapFile{.pid = pid, .innerPid = innerPid(pid)});
    if (!made->innerPid) made->innerPid = pid;
    struct stat status;
    if (stat(folderOf(pid).c_str(), &status) == 0) made->owner = status.st_uid;
    auto from = roots(pid, space);
    if (!from.empty()) made->root = from.front();
    space.perfMap = made;
    openPerfMap(*made);
    if (!made->held && sideBand_ && awaited_.size() < mostAwaited) awaited_.push_back(made);
}

/// The roots to look for a process's files in: its own, as it is now or as it was, and those of the processes
/// it came from.
std::vector<std::shared_ptr<const Root>> MappingWatch::roots(uint32_t pid, AddressSpace &space) {
    std::vector<std::shared_ptr<const Root>> found;
    if (auto now = files_.root(pid)) space.root = now;
    if (space.root) found.push_back(space.root);
    uint32_t parent = space.parent;
    for (int generation = 0; parent > 0 && generation < 4; generation++) {
        if (auto root = files_.root(parent)) found.push_back(root);
        AddressSpace *above = store_.live(parent);
        parent = above ? above->parent : 0;
    }
    return found;
}

void MappingWatch::openPerfMap(PerfMapFile &file) {
    if (file.held || !file.root) return;
    Fd opened = openInside(*file.root, "/tmp/perf-" + std::to_string(file.innerPid) + ".map", false);
    struct stat status;
    if (!opened || fstat(opened.get(), &status) != 0) return;
    if (status.st_uid != 0 && status.st_uid != file.owner) return;
    file.held = std::make_shared<const Fd>(std::move(opened));
}

void MappingWatch::openPerfMaps(uint64_t now) {
    std::erase_if(awaited_, [&](const std::weak_ptr<PerfMapFile> &weak) {
        auto file = weak.lock();
        if (!file || file->held) return true;
        if (now < file->nextTry) return false;
        file->interval = std::min(std::max(file->interval * 2, firstRetry), longestRetry);
        file->nextTry = now + file->interval;
        openPerfMap(*file);
        return file->held != nullptr;
    });
}

std::optional<AddressSpaceView> MappingWatch::view(uint32_t pid, uint64_t time) {
    std::unique_lock guard(lock_);
    AddressSpace fresh = {.began = 0, .layout = std::make_shared<Layout>()};
    const AddressSpace *space = nullptr;
    if (sideBand_ && !closed_) {
        uint64_t wanted = std::min(time, monotonic());
        auto caughtUp = [&] {
            std::lock_guard queue(addedLock_);
            return closed_ || (drainedUntil_ >= wanted && added_.empty());
        };
        if (!caughtUp()) {
            eventfd_write(wake_.get(), 1);
            drained_.wait_for(guard, std::chrono::seconds(2), caughtUp);
        }
        space = store_.at(pid, time);
        if (!space && !store_.live(pid)) space = &known(pid);
    } else if (!closed_) {
        readMaps(pid, fresh);
        space = &fresh;
    }
    if (closed_)
        throw Failure(Code::Closed, "these mappings are closed: resolve addresses before closing them");
    if (!space || space->layout->empty()) return std::nullopt;
    AddressSpaceView view = {space->layout, {}};
    for (const auto &map : {space->perfMap, space->inheritedPerfMap}) {
        if (!map) continue;
        openPerfMap(*map);
        if (map->held) view.perfMaps.push_back(map->held);
    }
    return view;
}
