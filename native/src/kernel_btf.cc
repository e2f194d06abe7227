// Reading and indexing the kernel's BTF; see kernel_btf.h. 150,000 types: the index is made in one pass,
// without strings of its own.

#include "kernel_btf.h"

#include <bit>

#include "errors.h"
#include "log.h"

namespace {

uint64_t hashOf(std::string_view name, uint32_t kind) {
    uint64_t value = 14695981039346656037u + kind;
    for (unsigned char byte : name) value = (value ^ byte) * 1099511628211u;
    return value ^ value >> 29;
}

/// enum64 is found as enum, a forward declaration never.
uint32_t kindOf(const btf_type *type) {
    return btf_is_enum64(type) ? uint32_t(BTF_KIND_ENUM) : btf_kind(type);
}

bool isIndexed(const btf_type *type) {
    return btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type) || btf_is_int(type) ||
           btf_is_func(type);
}

}  // namespace

KernelBtf::KernelBtf(btf *types, uint32_t first, std::shared_ptr<const KernelBtf> base)
    : types_(types), first_(first), base_(std::move(base)) {}

void KernelBtf::index() const {
    uint32_t count = btf__type_cnt(types_);
    slots_.resize(std::bit_ceil(size_t(count - first_) * 2 + 16));
    for (uint32_t id = first_; id < count; id++) {
        const btf_type *entry = type(id);
        if (!isIndexed(entry) || !entry->name_off) continue;
        uint32_t kind = kindOf(entry);
        std::string_view own = name(entry);
        for (size_t at = hashOf(own, kind);; at++) {
            uint32_t &slot = slots_[at & (slots_.size() - 1)];
            if (slot == 0) {
                slot = id;
                break;
            }
            const btf_type *other = type(slot);
            if (kindOf(other) != kind || own != name(other)) continue;
            // Declared only, here; defined, there.
            if (btf_is_any_enum(entry) && btf_vlen(other) == 0) slot = id;
            break;
        }
    }
}

KernelBtf::~KernelBtf() {
    btf__free(types_);
}

const char *KernelBtf::name(const btf_type *type) const {
    const char *text = btf__name_by_offset(types_, type->name_off);
    return text ? text : "";
}

uint32_t KernelBtf::find(std::string_view wanted, uint32_t kind) const {
    if (wanted.empty()) return 0;
    // Who only walks over the types does not pay for it.
    std::call_once(indexed_, [this] { index(); });
    for (size_t at = hashOf(wanted, kind);; at++) {
        uint32_t id = slots_[at & (slots_.size() - 1)];
        if (id == 0) return base_ ? base_->find(wanted, kind) : 0;
        const btf_type *entry = type(id);
        if (kindOf(entry) == kind && wanted == name(entry)) return id;
    }
}

std::shared_ptr<const KernelBtf> kernelBtf() {
    static std::mutex guard;
    static std::weak_ptr<const KernelBtf> known;
    std::lock_guard lock(guard);
    if (auto held = known.lock()) return held;
    LogCapture quiet;
    btf *types = btf__load_vmlinux_btf();
    if (!types)
        throw Failure(Code::NotSupported,
                      "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF");
    auto made = std::make_shared<const KernelBtf>(types);
    known = made;
    return made;
}

namespace {

std::mutex keeping;
std::shared_ptr<const KernelBtf> kept;

}  // namespace

void keepKernelBtf() {
    auto read = kernelBtf();
    std::lock_guard lock(keeping);
    kept = std::move(read);
}

void letGoOfKernelBtf() {
    std::lock_guard lock(keeping);
    kept.reset();
}

std::shared_ptr<const KernelBtf> moduleBtf(const std::string &module) {
    auto base = kernelBtf();
    LogCapture quiet;
    if (module.empty() || module.find('/') != std::string::npos)
        throw Failure(Code::NotFound, "no kernel module is called " + module);
    std::string path = "/sys/kernel/btf/" + module;
    btf *types = btf__parse_split(path.c_str(), const_cast<btf *>(base->types()));
    if (!types) throw Failure(Code::NotFound, "kernel module " + module + " is not loaded, or has no BTF");
    return std::make_shared<const KernelBtf>(types, btf__type_cnt(base->types()), base);
}
