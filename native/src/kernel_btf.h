// The kernel's BTF with an index of its names. Neighbours: hooks.cc, kernel_types.cc and kernel_lookup.cc,
// who share it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <bpf/btf.h>

class KernelBtf {
  public:
    /// Takes `types` over. `first`: the first id that is indexed (a module's own types follow the kernel's).
    explicit KernelBtf(btf *types, uint32_t first = 1, std::shared_ptr<const KernelBtf> base = nullptr);
    ~KernelBtf();
    KernelBtf(const KernelBtf &) = delete;
    KernelBtf &operator=(const KernelBtf &) = delete;

    const btf *types() const { return types_; }
    const btf_type *type(uint32_t id) const { return btf__type_by_id(types_, id); }
    const char *name(const btf_type *type) const;
    /// The id of a name of one kind, 0 where there is none. Of enums (and structs) that are declared and
    /// defined: the definition.
    uint32_t find(std::string_view name, uint32_t kind) const;

  private:
    void index() const;

    btf *types_;
    uint32_t first_;
    std::shared_ptr<const KernelBtf> base_;
    /// Open addressing by the hash of name and kind: ids, 0 for free.
    mutable std::vector<uint32_t> slots_;
    mutable std::once_flag indexed_;
};

/// Read when first asked for, and freed when the last who holds it lets go: it takes 10 MB. Throws
/// NotSupported.
std::shared_ptr<const KernelBtf> kernelBtf();
/// Reads it now and keeps it until someone lets go, who knows that the next need for it is far.
void keepKernelBtf();
void letGoOfKernelBtf();
/// A module's types, on the kernel's. Throws NotFound.
std::shared_ptr<const KernelBtf> moduleBtf(const std::string &module);
