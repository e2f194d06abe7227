// Attaching a program by AttachOptions (native/api.ts), and the words for when loading or attaching fails.

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "arguments.h"
#include "elf_functions.h"
#include "features.h"
#include "log.h"
#include "object.h"
#include "perf_names.h"
#include "trace_sections.h"

namespace {

/// "0-3,6" to the list of CPUs.
std::vector<int> onlineCpus() {
    std::ifstream file("/sys/devices/system/cpu/online");
    std::string text;
    std::getline(file, text);
    std::vector<int> cpus;
    for (const char *at = text.c_str(); *at;) {
        char *end;
        int low = int(strtol(at, &end, 10)), high = low;
        if (end == at) break;
        if (*end == '-') high = int(strtol(end + 1, &end, 10));
        for (int cpu = low; cpu <= high; cpu++) cpus.push_back(cpu);
        at = *end == ',' ? end + 1 : end;
    }
    return cpus;
}

/// Links made so far; destroyed where a later one fails.
struct Links {
    std::vector<bpf_link *> made;
    ~Links() {
        for (bpf_link *link : made) bpf_link__destroy(link);
    }
    std::vector<bpf_link *> take() { return std::exchange(made, {}); }
};

struct Attacher {
    bpf_program *program;
    LogCapture log;
    Links links;

    std::string tried(const std::string &where) const {
        return std::string("attach program ") + bpf_program__name(program) + " to " + where;
    }

    void add(bpf_link *link, const std::string &where) {
        if (!link) throw attachFailure(program, tried(where), errno, log);
        links.made.push_back(link);
    }

    void perfEvent(const Napi::Object &options) {
        std::string event = textArgument(options.Get("event"), "event");
        perf_event_attr attributes = perfEventCalled(event);
        std::string rate;
        if (Napi::Value frequency = options.Get("frequencyHz"); !frequency.IsUndefined()) {
            attributes.freq = 1;
            attributes.sample_freq = uint64_t(integerArgument(frequency, "frequencyHz", 1, 100000));
            rate = " at " + std::to_string(attributes.sample_freq) + " Hz";
        } else {
            attributes.sample_period =
                uint64_t(integerArgument(options.Get("period"), "period", 1, int64_t(1) << 53));
            rate = " every " + std::to_string(attributes.sample_period);
        }
        int64_t pid = integerOption(options, "pid", 1, INT32_MAX, -1);
        Napi::Value group = options.Get("cgroupPath");
        int folder = -1;
        if (!group.IsUndefined()) {
            std::string path = textArgument(group, "cgroupPath");
            folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (folder < 0) throw systemFailure("open cgroup " + path, errno);
        }
        // A process' event follows it over CPUs and to its new threads; others are one per CPU.
        attributes.inherit = pid > 0;
        std::vector<int> cpus = pid > 0 ? std::vector<int>{-1} : onlineCpus();
        if (booleanOption(options, "oneCpu")) cpus.resize(std::min<size_t>(cpus.size(), 1));
        try {
            openEvents(attributes, folder >= 0 ? folder : int(pid), cpus,
                       folder >= 0 ? PERF_FLAG_PID_CGROUP : 0, event + rate);
        } catch (...) {
            if (folder >= 0) ::close(folder);
            throw;
        }
        if (folder >= 0) ::close(folder);
    }

    void openEvents(perf_event_attr &attributes, int whose, const std::vector<int> &cpus, unsigned long flags,
                    const std::string &where) {
        for (int cpu : cpus) {
            int fd =
                int(syscall(SYS_perf_event_open, &attributes, whose, cpu, -1, PERF_FLAG_FD_CLOEXEC | flags));
            if (fd < 0) {
                int error = errno;
                if (error == ENODEV && cpus.size() > 1) continue;  // the CPU went offline meanwhile
                bool frequent = error == EINVAL && attributes.freq;
                Failure failure = attachFailure(
                    nullptr,
                    tried(where + (frequent ? " (see /proc/sys/kernel/perf_event_max_sample_rate)" : "")),
                    error, log);
                // No such counter in this machine, or none left.
                if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV)
                    failure.code = Code::NotSupported;
                throw failure;
            }
            LIBBPF_OPTS(bpf_perf_event_opts, perf);
            bpf_link *link = bpf_program__attach_perf_event_opts(program, fd, &perf);
            if (!link) {
                int error = errno;
                ::close(fd);
                errno = error;
            }
            add(link, where);
        }
    }

    void watchpoint(const Napi::Object &options) {
        if (!options.Get("address").IsBigInt())
            throw Failure(Code::InvalidArgument, "address must be a bigint");
        bool lossless;
        perf_event_attr attributes{};
        attributes.size = sizeof attributes;
        attributes.type = PERF_TYPE_BREAKPOINT;
        attributes.bp_addr = options.Get("address").As<Napi::BigInt>().Uint64Value(&lossless);
        attributes.bp_len = uint64_t(integerArgument(options.Get("length"), "length", 1, 8));
        std::string mode = textArgument(options.Get("mode"), "mode");
        for (char way : mode)
            attributes.bp_type |= way == 'r'   ? HW_BREAKPOINT_R
                                  : way == 'w' ? HW_BREAKPOINT_W
                                  : way == 'x' ? HW_BREAKPOINT_X
                                               : 0;
        if (!attributes.bp_type) throw Failure(Code::InvalidArgument, "mode must be of r, w and x");
        attributes.sample_period = 1;
        int64_t pid = integerOption(options, "pid", 1, INT32_MAX, -1);
        attributes.inherit = pid > 0;
        openEvents(attributes, int(pid), pid > 0 ? std::vector<int>{-1} : onlineCpus(), 0, "a watchpoint");
    }

    /// One link for all functions.
    void kprobes(const Napi::Object &options) {
        std::vector<std::string> functions = names(options.Get("functions"), "functions");
        std::vector<const char *> symbols;
        for (const std::string &function : functions) symbols.push_back(function.c_str());
        LIBBPF_OPTS(bpf_kprobe_multi_opts, multi);
        multi.syms = symbols.data();
        multi.cnt = symbols.size();
        multi.retprobe = booleanOption(options, "return");
        add(bpf_program__attach_kprobe_multi_opts(program, nullptr, &multi),
            functions[0] + (functions.size() > 1 ? " and others" : ""));
    }

    static std::vector<std::string> names(const Napi::Value &value, const char *what) {
        if (!value.IsArray() || value.As<Napi::Array>().Length() == 0)
            throw Failure(Code::InvalidArgument, std::string(what) + " must be a list of at least one");
        Napi::Array list = value.As<Napi::Array>();
        std::vector<std::string> texts;
        for (uint32_t i = 0; i < list.Length(); i++)
            texts.push_back(textArgument(list.Get(i), "a function's name"));
        return texts;
    }

    void uprobe(const Napi::Object &options) {
        std::string binary = textArgument(options.Get("binary"), "binary");
        bool atReturn = booleanOption(options, "return");
        pid_t pid = pid_t(integerOption(options, "pid", 1, INT32_MAX, -1));
        std::vector<std::string> functions = names(options.Get("functions"), "functions");
        std::vector<unsigned long> offsets;
        for (const std::string &function : functions)
            if (function.starts_with("0x")) offsets.push_back(strtoul(function.c_str(), nullptr, 16));
        if (!offsets.empty() && offsets.size() != functions.size())
            throw Failure(Code::InvalidArgument, "functions must be names or offsets (0x…), not both");
        if (offsets.empty()) offsets = functionOffsets(binary, functions);
        for (unsigned long &offset : offsets)
            offset += (unsigned long)(integerOption(options, "offset", 0, INT32_MAX, 0));
        std::string where = (atReturn ? "the return of " : "") + functions[0] +
                            (functions.size() > 1 ? " and others" : "") + " in " + binary;
        if (bpf_program__expected_attach_type(program) == BPF_TRACE_UPROBE_MULTI) {
            LIBBPF_OPTS(bpf_uprobe_multi_opts, multi);
            multi.offsets = offsets.data();
            multi.cnt = offsets.size();
            multi.retprobe = atReturn;
            return add(bpf_program__attach_uprobe_multi(program, pid, binary.c_str(), nullptr, &multi),
                       where);
        }
        for (unsigned long offset : offsets) {
            LIBBPF_OPTS(bpf_uprobe_opts, one);
            one.retprobe = atReturn;
            add(bpf_program__attach_uprobe_opts(program, pid, binary.c_str(), offset, &one), where);
        }
    }

    void run(const Napi::Value &value) {
        if (value.IsUndefined()) return bySection();
        Napi::Object options = objectArgument(value, "attach options");
        std::string kind = textArgument(options.Get("kind"), "kind");
        if (kind == "auto") return bySection();
        if (kind == "perfEvent") return perfEvent(options);
        if (kind == "uprobe") return uprobe(options);
        if (kind == "tracepoint") {
            std::string category = textArgument(options.Get("category"), "category");
            std::string name = textArgument(options.Get("name"), "name");
            bpf_link *link = bpf_program__attach_tracepoint(program, category.c_str(), name.c_str());
            return hooked(link, "tracepoint/" + category + "/" + name);
        }
        if (kind == "rawTracepoint") {
            std::string name = textArgument(options.Get("name"), "name");
            return hooked(bpf_program__attach_raw_tracepoint(program, name.c_str()), "raw_tp/" + name);
        }
        if (kind == "kprobe") {
            std::string function = textArgument(options.Get("function"), "function");
            bool atReturn = booleanOption(options, "return");
            LIBBPF_OPTS(bpf_kprobe_opts, one);
            one.retprobe = atReturn;
            one.offset = size_t(integerOption(options, "offset", 0, INT32_MAX, 0));
            bpf_link *link = bpf_program__attach_kprobe_opts(program, function.c_str(), &one);
            return hooked(link, (atReturn ? "kretprobe/" : "kprobe/") + function);
        }
        if (kind == "kprobes") return kprobes(options);
        if (kind == "watchpoint") return watchpoint(options);
        if (kind == "usdt") {
            std::string binary = textArgument(options.Get("binary"), "binary");
            std::string provider = textArgument(options.Get("provider"), "provider");
            std::string probe = textArgument(options.Get("probe"), "probe");
            pid_t pid = pid_t(integerOption(options, "pid", 1, INT32_MAX, -1));
            return add(bpf_program__attach_usdt(program, pid, binary.c_str(), provider.c_str(), probe.c_str(),
                                                nullptr),
                       "USDT " + provider + ":" + probe + " in " + binary);
        }
        throw Failure(Code::InvalidArgument, "no way to attach is called " + kind);
    }

    void bySection() {
        std::string section = bpf_program__section_name(program);
        bpf_link *link =
            isTraceSection(program) ? bpf_program__attach_trace(program) : bpf_program__attach(program);
        if (!link && errno == EOPNOTSUPP)
            throw Failure(Code::InvalidArgument,
                          tried(section) + ": the section does not say where: give attach options", errno);
        add(link, section);
    }

    /// The hook that was asked for is not the one in the section's name.
    void hooked(bpf_link *link, const std::string &section) {
        int error = errno;
        if (!link)
            if (std::string reason = missingHook(section); !reason.empty())
                throw Failure(Code::NotSupported, tried(section) + ": " + reason, error, log.text());
        errno = error;
        add(link, section);
    }
};

}  // namespace

std::vector<bpf_link *> attachProgram(bpf_program *program, const Napi::Value &options) {
    Attacher attacher{program, {}, {}};
    attacher.run(options);
    return attacher.links.take();
}

Failure attachFailure(const bpf_program *program, const std::string &tried, int error,
                      const LogCapture &log) {
    if ((error == EPERM || error == EACCES) && !mayLoadPrograms())
        return Failure(Code::PermissionDenied,
                       tried + ": needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN: run as root", error,
                       log.text());
    std::string reason = program ? missingHook(bpf_program__section_name(program)) : "";
    if (!reason.empty()) return Failure(Code::NotSupported, tried + ": " + reason, error, log.text());
    std::string verifier = lastVerifierLine(log.verifierText());
    if (!verifier.empty() && error != EPERM && error != ENOMEM)
        return Failure(Code::VerifierRejected, tried + ": the verifier says: " + verifier, error, log.text());
    Failure failure = systemFailure(tried, error, log.text());
    if (error == EPERM) failure.code = Code::NotSupported;
    if (!log.text().empty()) failure.message += " (" + log.lastLine() + ")";
    return failure;
}
