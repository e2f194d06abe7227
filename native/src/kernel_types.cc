// libbpf looks for each of an object's types among all 150,000 of the kernel's, one after the other, every
// time an object is loaded: 10 ms, more than verifying its programs. This gives it a BTF that holds only the
// types of the names that the object knows, with what is embedded in them; pointers point to nothing, for a
// relocation never follows one. Made once for each set of names.

#include "kernel_types.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"
#include "kernel_btf.h"

namespace {

using Bytes = std::vector<char>;

/// A type's name as CO-RE compares it: what follows three underscores tells flavours apart.
std::string_view essential(std::string_view name) {
    size_t flavour = name.find("___");
    return flavour == std::string_view::npos || flavour == 0 ? name : name.substr(0, flavour);
}

bool isNamedKind(const btf_type *type) {
    return btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type) || btf_is_int(type);
}

std::set<std::string, std::less<>> namesOf(const btf *local) {
    // By the width of "long unsigned int" libbpf tells that of a pointer.
    std::set<std::string, std::less<>> names{"long unsigned int", "unsigned long"};
    for (uint32_t id = 1; id < btf__type_cnt(local); id++) {
        const btf_type *type = btf__type_by_id(local, id);
        const char *name = btf__name_by_offset(local, type->name_off);
        if (isNamedKind(type) && name && *name) names.emplace(essential(name));
    }
    return names;
}

/// Copies types from one BTF to another with everything that their layout needs.
class Subset {
  public:
    explicit Subset(const btf *kernel) : kernel_(kernel), made_(btf__new_empty()) {
        if (made_) pointer_ = btf__add_ptr(made_, 0);
    }
    ~Subset() { btf__free(made_); }
    Subset(const Subset &) = delete;
    Subset &operator=(const Subset &) = delete;

    void want(uint32_t id) {
        // A tracepoint's arguments are compared through the pointer that its typedef is.
        const char *name = btf__name_by_offset(kernel_, btf__type_by_id(kernel_, id)->name_off);
        wanted_.push_back({id, std::string_view(name).starts_with("btf_trace_")});
        while (!wanted_.empty()) {
            Wanted next = wanted_.back();
            wanted_.pop_back();
            take(next.id, next.follow);
        }
    }

    Bytes finish() {
        // The ids in a copied type are still the kernel's.
        for (auto &[old, id] : ids_)
            if (id > 0 && id != pointer_)
                forEachReference(const_cast<btf_type *>(btf__type_by_id(made_, uint32_t(id))),
                                 [&](uint32_t &to) { to = idOf(to); });
        uint32_t size = 0;
        const void *data = made_ ? btf__raw_data(made_, &size) : nullptr;
        if (!data) throw Failure(Code::Exhausted, "no memory for the kernel's types");
        return Bytes(static_cast<const char *>(data), static_cast<const char *>(data) + size);
    }

  private:
    struct Wanted {
        uint32_t id;
        bool follow; /* pointers and what they lead to, up to the next struct */
    };

    void take(uint32_t id, bool follow) {
        auto known = ids_.find(id);
        if (id == 0 || (known != ids_.end() && !(follow && known->second == pointer_))) return;
        const btf_type *type = btf__type_by_id(kernel_, id);
        if (!type || (btf_is_func_proto(type) && !follow)) return;
        if (btf_is_ptr(type) && !follow) {
            ids_[id] = pointer_;
            return;
        }
        ids_[id] = btf__add_type(made_, kernel_, type);
        forEachReference(const_cast<btf_type *>(type),
                         [&](uint32_t &to) { wanted_.push_back({to, follow && !btf_is_composite(type)}); });
    }

    template <typename Visit>
    static void forEachReference(btf_type *type, Visit visit) {
        if (btf_is_array(type)) {
            visit(btf_array(type)->type);
            visit(btf_array(type)->index_type);
        } else if (btf_is_composite(type)) {
            for (int i = 0; i < btf_vlen(type); i++) visit(btf_members(type)[i].type);
        } else if (btf_is_func_proto(type)) {
            visit(type->type);
            for (int i = 0; i < btf_vlen(type); i++) visit(btf_params(type)[i].type);
        } else if (btf_is_mod(type) || btf_is_typedef(type) || btf_is_ptr(type)) {
            visit(type->type);
        }
    }

    uint32_t idOf(uint32_t old) const {
        auto found = ids_.find(old);
        return found == ids_.end() || found->second < 0 ? 0 : uint32_t(found->second);
    }

    const btf *kernel_;
    btf *made_;
    int pointer_ = 0;
    std::unordered_map<uint32_t, int> ids_;
    std::vector<Wanted> wanted_;
};

Bytes subsetFor(const std::set<std::string, std::less<>> &names) {
    std::shared_ptr<const KernelBtf> kernel = kernelBtf();
    Subset subset(kernel->types());
    for (uint32_t id = 1; id < btf__type_cnt(kernel->types()); id++) {
        const btf_type *type = kernel->type(id);
        if (!isNamedKind(type)) continue;
        const char *name = kernel->name(type);
        if (*name && names.contains(essential(name))) subset.want(id);
    }
    return subset.finish();
}

std::shared_ptr<const Bytes> cached(const btf *local) {
    static std::mutex guard;
    static std::map<std::set<std::string, std::less<>>, std::shared_ptr<const Bytes>> known;
    std::set<std::string, std::less<>> names = namesOf(local);
    std::lock_guard lock(guard);
    auto found = known.find(names);
    if (found != known.end()) return found->second;
    // One for each gadget; programs of users, later, are as many as they write.
    if (known.size() >= 64) known.clear();
    auto made = std::make_shared<const Bytes>(subsetFor(names));
    known.emplace(std::move(names), made);
    return made;
}

}  // namespace

KernelTypesFile::KernelTypesFile() : fd_(memfd_create("sonde-kernel-types", MFD_CLOEXEC)) {
    if (fd_ < 0) throw systemFailure("make a file in memory for the kernel's types", errno, "");
}

KernelTypesFile::~KernelTypesFile() {
    close();
}

void KernelTypesFile::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

std::string KernelTypesFile::path() const {
    return "/proc/self/fd/" + std::to_string(fd_);
}

void KernelTypesFile::fill(const btf *local) {
    std::shared_ptr<const Bytes> bytes = cached(local);
    letGoOfKernelBtf();
    if (pwrite(fd_, bytes->data(), bytes->size(), 0) != ssize_t(bytes->size()))
        throw systemFailure("write the kernel's types to a file in memory", errno, "");
}
