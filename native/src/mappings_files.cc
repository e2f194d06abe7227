// See mappings_files.h. Paths come from traced processes: they are looked up inside those processes' roots,
// and what is found must be the very inode that was mapped.

#include "mappings_files.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace {

constexpr size_t mostFiles = 1024;
constexpr size_t mostNames = 64;
constexpr int mostAttempts = 3;

std::string format(const char *pattern, auto... values) {
    char text[128];
    snprintf(text, sizeof text, pattern, values...);
    return text;
}

/// A descriptor to read from, made of one that only names a file. Devices and FIFOs are never opened.
Fd readable(const Fd &named) {
    struct stat status;
    if (!named || fstat(named.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Fd();
    return Fd(open(format("/proc/self/fd/%d", named.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

Fd openPlainly(const std::string &path) {
    return readable(Fd(open(path.c_str(), O_PATH | O_CLOEXEC)));
}

/// Whether the kernel would name this file so when it is mapped. On overlay and btrfs stat gives another
/// device than mappings show: then the file is mapped here and this process's own maps say.
bool isFile(const Fd &file, FileKey key) {
    struct stat status;
    if (!file || fstat(file.get(), &status) != 0) return false;
    if (status.st_ino == key.inode && major(status.st_dev) == key.major && minor(status.st_dev) == key.minor)
        return true;
    if (status.st_size == 0) return false;
    void *page = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (page == MAP_FAILED) return false;
    std::string begin = format("%lx-", reinterpret_cast<unsigned long>(page));
    bool same = false;
    if (FILE *maps = fopen("/proc/self/maps", "re")) {
        char line[4352];
        while (fgets(line, sizeof line, maps)) {
            unsigned int high, low;
            uint64_t inode;
            if (strncmp(line, begin.c_str(), begin.size()) != 0) continue;
            same = sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &high, &low, &inode) == 3 &&
                   high == key.major && low == key.minor && inode == key.inode;
            break;
        }
        fclose(maps);
    }
    munmap(page, 1);
    return same;
}

bool isElf(const Fd &file) {
    char magic[4];
    return file && pread(file.get(), magic, 4, 0) == 4 && memcmp(magic, "\177ELF", 4) == 0;
}

std::string withoutDeleted(const std::string &path) {
    return path.ends_with(" (deleted)") ? path.substr(0, path.size() - 10) : path;
}

/// The kernel's names for what is no file of its own.
MappedFile::Kind kindOf(FileKey key, const std::string &path) {
    using Kind = MappedFile::Kind;
    if (path == "[vdso]") return Kind::Vdso;
    if (path == "[uprobes]" || path == "[vsyscall]" || path == "[vectors]" || path == "[sigpage]")
        return Kind::Other;
    if (key.inode == 0 || path.starts_with("/SYSV") || path.starts_with("/dev/zero") || path.empty() ||
        path[0] != '/')
        return Kind::Generated;
    return Kind::Regular;
}

/// Tries all ways to the file, the surest first.
Fd findFile(FileKey key, const std::string &path, const MappedBy &by) {
    if (by.pid) {
        // Needs CHECKPOINT_RESTORE or SYS_ADMIN; finds deleted files and memfds too.
        Fd file = openPlainly(format("/proc/%u/map_files/%" PRIx64 "-%" PRIx64, by.pid, by.start, by.end));
        if (isFile(file, key)) return file;
    }
    std::string plain = withoutDeleted(path);
    for (const auto &root : by.roots) {
        Fd file = openInside(*root, plain);
        if (isFile(file, key)) return file;
    }
    if (by.pid) {
        Fd file = openPlainly(format("/proc/%u/exe", by.pid));
        if (isFile(file, key)) return file;
    }
    Fd file = openPlainly(plain);
    return isFile(file, key) ? std::move(file) : Fd();
}

}  // namespace

Fd &Fd::operator=(Fd &&other) noexcept {
    if (this != &other) {
        if (number_ >= 0) close(number_);
        number_ = other.number_;
        other.number_ = -1;
    }
    return *this;
}

Fd::~Fd() {
    if (number_ >= 0) close(number_);
}

Fd openInside(const Root &root, const std::string &path, bool followLast) {
    open_how how = {};
    how.flags = O_PATH | O_CLOEXEC | (followLast ? 0 : O_NOFOLLOW);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return readable(Fd(int(syscall(SYS_openat2, root.folder.get(), path.c_str(), &how, sizeof how))));
}

FileTable::FileTable() : limit_(mostFiles) {
    rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
        limit_ = std::min<size_t>(mostFiles, files.rlim_cur / 4);
}

std::shared_ptr<MappedFile> FileTable::find(FileKey key, const std::string &path) {
    std::lock_guard guard(lock_);
    if (kindOf(key, path) != MappedFile::Kind::Regular) {
        auto known = nameless_.find(path);
        return known == nameless_.end() ? nullptr : known->second;
    }
    auto known = files_.find({key, path});
    if (known == files_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, known->second->place);
    return known->second;
}

bool FileTable::settled(MappedFile &file) {
    std::lock_guard guard(lock_);
    return file.held || file.attempts >= mostAttempts;
}

std::shared_ptr<MappedFile> FileTable::open(FileKey key, const std::string &path, const MappedBy &by,
                                            std::shared_ptr<MappedFile> known) {
    using Kind = MappedFile::Kind;
    Kind kind = kindOf(key, path);
    if (kind != Kind::Regular) {
        auto made = std::make_shared<MappedFile>();
        made->kind = kind;
        made->path = path;
        std::lock_guard guard(lock_);
        // Programs name their anonymous memory as they like: what is not special is one thing.
        if (nameless_.size() < mostNames) nameless_[path] = made;
        return made;
    }
    // Opening may take its time (network file systems): the lock is not held over it.
    Fd opened = findFile(key, path, by);
    if (path.starts_with("/memfd:") && !isElf(opened)) {
        auto made = std::make_shared<MappedFile>();
        made->kind = Kind::Generated;
        made->path = path;
        return made;
    }
    std::lock_guard guard(lock_);
    if (!known) {
        auto there = files_.find({key, path});
        if (there != files_.end()) known = there->second;
    }
    if (!known) {
        known = std::make_shared<MappedFile>();
        known->kind = kind;
        known->key = key;
        known->path = withoutDeleted(path);
        recent_.push_front({key, path});
        known->place = recent_.begin();
        files_[{key, path}] = known;
    }
    known->attempts++;
    if (opened && !known->held) known->held = std::make_shared<const Fd>(std::move(opened));
    if (!known->root && !by.roots.empty()) known->root = by.roots.front();
    while (files_.size() > limit_) {
        // Without its file held, the inode's number may become another's: the key is forgotten with it.
        auto oldest = files_.find(recent_.back());
        oldest->second->held = nullptr;
        files_.erase(oldest);
        recent_.pop_back();
    }
    return known;
}

std::shared_ptr<const Fd> FileTable::held(MappedFile &file) {
    MappedBy by = {};
    {
        std::lock_guard guard(lock_);
        if (file.held || file.kind != MappedFile::Kind::Regular) return file.held;
        if (file.root) by.roots.push_back(file.root);
    }
    Fd opened = findFile(file.key, file.path, by);
    if (!opened) return nullptr;
    // Not put back among the held ones: it is wanted for this moment only.
    return std::make_shared<const Fd>(std::move(opened));
}

std::shared_ptr<const Root> FileTable::rootOf(const MappedFile &file) {
    std::lock_guard guard(lock_);
    return file.root;
}

std::shared_ptr<const Root> FileTable::root(uint32_t pid) {
    char link[64];
    ssize_t length = readlink(format("/proc/%u/ns/mnt", pid).c_str(), link, sizeof link - 1);
    if (length <= 0) return nullptr;
    link[length] = 0;
    uint64_t mountNamespace = 0;
    if (sscanf(link, "mnt:[%" SCNu64 "]", &mountNamespace) != 1) return nullptr;
    Fd folder(::open(format("/proc/%u/root", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status;
    if (!folder || fstat(folder.get(), &status) != 0) return nullptr;
    std::lock_guard guard(lock_);
    auto &known = roots_[{mountNamespace, status.st_dev, status.st_ino}];
    if (auto there = known.lock()) return there;
    auto made =
        std::make_shared<const Root>(Root{std::move(folder), mountNamespace, status.st_dev, status.st_ino});
    known = made;
    if (roots_.size() > 512) std::erase_if(roots_, [](const auto &entry) { return entry.second.expired(); });
    return made;
}

size_t FileTable::open() const {
    std::lock_guard guard(lock_);
    size_t count = 0;
    for (const auto &[key, file] : files_) count += file->held ? 1 : 0;
    return count;
}

void FileTable::clear() {
    std::lock_guard guard(lock_);
    for (auto &[key, file] : files_) file->held = nullptr;
    files_.clear();
    recent_.clear();
    nameless_.clear();
}
