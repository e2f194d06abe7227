// What a program's ELF section asks of the kernel; see hooks.h and features.h.

#include "hooks.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <string_view>
#include <vector>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "errors.h"
#include "features.h"
#include "kernel_btf.h"

namespace {

/// Functions and tracepoints of the kernel's BTF by the hash of their names: 1 MB instead of the 10 MB of the
/// BTF itself.
struct Names {
    struct Entry {
        uint64_t hash;
        int32_t id;
        bool operator<(const Entry &other) const { return hash < other.hash; }
    };
    std::vector<Entry> entries;

    static uint64_t hash(std::string_view name, uint32_t kind) {
        uint64_t value = 14695981039346656037u + kind;
        for (unsigned char byte : name) value = (value ^ byte) * 1099511628211u;
        return value;
    }

    Names() {
        std::shared_ptr<const KernelBtf> kernel;
        try {
            kernel = kernelBtf();
        } catch (const Failure &) {
            return;
        }
        for (uint32_t id = 1; id < btf__type_cnt(kernel->types()); id++) {
            const btf_type *type = kernel->type(id);
            if (!btf_is_func(type) && !btf_is_typedef(type)) continue;
            const char *name = kernel->name(type);
            if (btf_is_typedef(type) && !std::string_view(name).starts_with("btf_trace_")) continue;
            entries.push_back({hash(name, btf_kind(type)), int32_t(id)});
        }
        entries.shrink_to_fit();
        std::sort(entries.begin(), entries.end());
    }

    int32_t find(std::string_view name, uint32_t kind) const {
        Entry wanted{hash(name, kind), 0};
        auto at = std::lower_bound(entries.begin(), entries.end(), wanted);
        return at != entries.end() && at->hash == wanted.hash ? at->id : 0;
    }
};

const Names &names() {
    static const Names known;
    return known;
}

std::string tracefs() {
    for (const char *place : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})
        if (access((std::string(place) + "/events").c_str(), F_OK) == 0) return place;
    return "";
}

bool inKallsyms(const std::string &function) {
    std::ifstream symbols("/proc/kallsyms");
    std::string line;
    while (std::getline(symbols, line)) {
        size_t at = line.find(function, 19);
        if (at != 19) continue;
        char after = line.size() > at + function.size() ? line[at + function.size()] : '\t';
        if (after == '\t' || after == '\n') return true;
    }
    return false;
}

std::string missingRawTracepoint(const std::string &name) {
    if (!features().btf) return "";  // only the kernel can tell, when it is attached
    if (vmlinuxTypeId("btf_trace_" + name, BTF_KIND_TYPEDEF)) return "";
    return "this kernel has no tracepoint " + name;
}

std::string missingTracepoint(const std::string &name) {
    size_t slash = name.find('/');
    if (slash == std::string::npos) return "";
    std::string place = tracefs();
    if (place.empty())
        return "tracefs is not mounted, which tracepoint " + name +
               " needs: mount -t tracefs tracefs /sys/kernel/tracing";
    if (access((place + "/events/" + name + "/id").c_str(), F_OK) == 0) return "";
    return "this kernel has no tracepoint " + name;
}

std::string missingFunction(const std::string &function) {
    std::string name = function.substr(0, function.find('+'));
    if (name.empty() || name.find_first_of(":*?") != std::string::npos) return "";
    if (vmlinuxTypeId(name, BTF_KIND_FUNC) || inKallsyms(name)) return "";
    return "this kernel has no function " + name;
}

}  // namespace

int32_t vmlinuxTypeId(const std::string &name, uint32_t kind) {
    return names().find(name, kind);
}

std::string missingHook(const std::string &section) {
    size_t slash = section.find('/');
    std::string kind = section.substr(section.starts_with("?") ? 1 : 0, slash);
    std::string name = slash == std::string::npos ? "" : section.substr(slash + 1);
    if (kind.ends_with(".s")) kind.resize(kind.size() - 2);

    if (kind == "tp_btf") {
        if (!features().btf) return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)";
        if (std::string reason = missingRawTracepoint(name); !reason.empty()) return reason;
        return features().rawTracepointBtf ? "" : "this kernel refuses tp_btf programs";
    }
    if (kind == "raw_tp" || kind == "raw_tracepoint" || kind == "raw_tp.w" || kind == "raw_tracepoint.w")
        return name.empty() ? "" : missingRawTracepoint(name);
    if (kind == "tp" || kind == "tracepoint") return missingTracepoint(name);
    if (kind == "fentry" || kind == "fexit" || kind == "fmod_ret" || kind == "fsession") {
        if (!features().btf) return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)";
        if (!features().fentry)
            return "this kernel has no fentry (CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE)";
        if (name.empty() || name.find(':') != std::string::npos) return "";
        return vmlinuxTypeId(name, BTF_KIND_FUNC) ? "" : "this kernel has no function " + name;
    }
    if (kind == "kprobe" || kind == "kretprobe" || kind == "ksyscall" || kind == "kretsyscall") {
        if (!features().kprobe) return "this kernel has no kprobes (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS)";
        return kind.ends_with("probe") ? missingFunction(name) : "";
    }
    if (kind == "kprobe.multi" || kind == "kretprobe.multi" || kind == "kprobe.session")
        return features().kprobeMulti ? missingFunction(name)
                                      : "this kernel has no kprobe.multi (CONFIG_FPROBE)";
    if (kind == "uprobe.multi" || kind == "uretprobe.multi")
        return features().uprobeMulti ? "" : "this kernel has no uprobe multi-attach (Linux 6.6)";
    if (kind == "iter" && features().btf && !name.empty())
        return vmlinuxTypeId("bpf_iter_" + name, BTF_KIND_FUNC) ? "" : "this kernel has no iterator " + name;
    return "";
}
