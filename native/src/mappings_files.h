// Files that traced processes have mapped, held open so that they can be read when process and container are
// gone. mappings_store.h says who mapped them where; symbols_resolve.h reads them.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

/// A file descriptor that closes itself.
class Fd {
  public:
    explicit Fd(int number = -1) : number_(number) {}
    Fd(Fd &&other) noexcept : number_(other.number_) { other.number_ = -1; }
    Fd &operator=(Fd &&other) noexcept;
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    ~Fd();
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

  private:
    int number_;
};

/// A process's root folder as of some moment, held: paths are looked up inside it, never outside.
struct Root {
    Fd folder;
    uint64_t mountNamespace, device, inode;
};

/// Opens a regular file below a root for reading, never blocking on FIFOs, never leaving the root by links.
/// An empty Fd where it can't.
Fd openInside(const Root &root, const std::string &path, bool followLast = true);

/// As the kernel names a file in perf records and /proc/PID/maps. While the file is held, its inode can't be
/// another's.
struct FileKey {
    uint32_t major, minor;
    uint64_t inode;
    auto operator<=>(const FileKey &) const = default;
};

/// One mapped thing. All members but `held`, `root` and `attempts` (behind FileTable's lock) never change.
struct MappedFile {
    enum class Kind {
        Regular,
        /// Anonymous executable memory, or a memfd without an ELF header.
        Generated,
        Vdso,
        /// Kernel pages such as [uprobes]; only their name is known.
        Other,
    };
    Kind kind;
    FileKey key;
    std::string path;
    std::shared_ptr<const Fd> held;
    std::shared_ptr<const Root> root;
    int attempts = 0;
    std::list<std::pair<FileKey, std::string>>::iterator place;
};

/// Where to look for a file: the process that mapped it, where, and roots of it or its relatives as
/// remembered.
struct MappedBy {
    uint32_t pid;
    uint64_t start, end;
    std::vector<std::shared_ptr<const Root>> roots;
};

class FileTable {
  public:
    FileTable();

    /// The file of a mapping; opened now where it is not held yet. A `path` as the kernel writes it.
    template <typename Where>
    std::shared_ptr<MappedFile> file(FileKey key, const std::string &path, Where where) {
        std::shared_ptr<MappedFile> known = find(key, path);
        if (known && (known->kind != MappedFile::Kind::Regular || settled(*known))) return known;
        return open(key, path, where(), known);
    }

    /// The open file, tried again by its path where it was let go; null where it can't be had.
    std::shared_ptr<const Fd> held(MappedFile &file);
    std::shared_ptr<const Root> rootOf(const MappedFile &file);

    /// The root of a live process; null where it is gone.
    std::shared_ptr<const Root> root(uint32_t pid);

    size_t open() const;
    void clear();

  private:
    std::shared_ptr<MappedFile> find(FileKey key, const std::string &path);
    bool settled(MappedFile &file);
    std::shared_ptr<MappedFile> open(FileKey key, const std::string &path, const MappedBy &by,
                                     std::shared_ptr<MappedFile> known);

    mutable std::mutex lock_;
    size_t limit_;
    /// By inode and path: a file with several names (hard links) is several here, each with its own name.
    using Name = std::pair<FileKey, std::string>;
    std::map<Name, std::shared_ptr<MappedFile>> files_;
    std::list<Name> recent_;
    std::map<std::tuple<uint64_t, uint64_t, uint64_t>, std::weak_ptr<const Root>> roots_;
    std::map<std::string, std::shared_ptr<MappedFile>> nameless_;
};
