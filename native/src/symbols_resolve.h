// From addresses to names: which file was mapped there then (mappings_watch.h), and what that file, the JIT's
// perf map or the kernel calls it. Called on worker threads (user) and on the main thread (kernel);
// symbols.cc gives it to JavaScript.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "mappings_watch.h"
#include "symbols_library.h"
#include "symbols_perfmap.h"

struct SymbolFrame {
    enum class Kind { User, Kernel, Jit, Inlined } kind;
    std::string name, module, file;
    uint32_t line = 0;
    /// Bytes into the function; -1: not known.
    int64_t offset = -1;
};

/// What one address gives, innermost first; shared with the cache.
using SymbolFrames = std::shared_ptr<const std::vector<SymbolFrame>>;

class Resolver {
  public:
    explicit Resolver(std::shared_ptr<MappingWatch> watch) : watch_(std::move(watch)) {}
    ~Resolver();

    /// One entry per address. From the second on they are return addresses: the call before is looked up.
    /// Throws Failure(Closed).
    std::vector<SymbolFrames> user(uint32_t pid, uint64_t time, const std::vector<uint64_t> &addresses);
    /// Throws Failure(NotSupported) where the kernel hides its addresses.
    std::vector<SymbolFrames> kernel(const std::vector<uint64_t> &addresses);

  private:
    /// A file with what was found in it so far.
    struct Image {
        std::shared_ptr<MappedFile> file;
        SondeElf *elf = nullptr;
        /// Never again: it is no ELF file, or broke its reader.
        bool unfit = false;
        uint64_t size = 0, changed = 0;
        uint64_t used = 0;
        std::unordered_map<uint64_t, SymbolFrames> found;
    };
    struct Question {
        size_t index;
        uint64_t offset;
    };
    void ask(Image &image, const std::vector<Question> &questions, std::vector<SymbolFrames> &answers);
    bool ready(Image &image);
    void attachDebugFile(Image &image);
    void letGo(Image &image);
    Image &imageOf(const std::shared_ptr<MappedFile> &file);
    std::string_view generated(const AddressSpaceView &view, uint64_t address);
    std::shared_ptr<const Fd> vdso();

    std::shared_ptr<MappingWatch> watch_;
    std::mutex lock_;
    std::unordered_map<const MappedFile *, Image> images_;
    std::list<std::unique_ptr<PerfMap>> perfMaps_;
    std::shared_ptr<const Fd> vdso_;
    uint64_t clock_ = 0;
    size_t cached_ = 0, opened_ = 0;

    std::mutex kernelLock_;
    SondeKernel *kernel_ = nullptr;
    std::unordered_map<uint64_t, SymbolFrames> kernelFound_;
};
