// Probes of kernel features; see features.h. What a section name needs is answered in hooks.cc.

#include "features.h"

#include <cerrno>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "errors.h"
#include "hooks.h"
#include "kernel_btf.h"
#include "log.h"

namespace {

/// r0 = 0; exit
const bpf_insn nothing[] = {
    {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
};

class Fd {
  public:
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() {
        if (fd_ >= 0) close(fd_);
    }
    Fd(const Fd &) = delete;
    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }

  private:
    int fd_;
};

int loadNothing(bpf_prog_type type, bpf_prog_load_opts *options) {
    return bpf_prog_load(type, "sonde_probe", "GPL", nothing, sizeof nothing / sizeof nothing[0], options);
}

bool probeTracing(bpf_attach_type attachType, const char *function, uint32_t kind, bool attach) {
    int32_t id = vmlinuxTypeId(function, kind);
    if (id <= 0) return false;
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.expected_attach_type = attachType;
    options.attach_btf_id = uint32_t(id);
    Fd program(loadNothing(BPF_PROG_TYPE_TRACING, &options));
    if (!program.open() || !attach) return program.open();
    // arm64 before 6.0 loads fentry programs and only then refuses them.
    Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
    return link.open();
}

bool probeUprobeMulti() {
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.expected_attach_type = BPF_TRACE_UPROBE_MULTI;
    Fd program(loadNothing(BPF_PROG_TYPE_KPROBE, &options));
    if (!program.open()) return false;
    // A folder is no binary: a kernel that knows the link type says EBADF, one that does not EINVAL.
    const unsigned long offset = 0;
    LIBBPF_OPTS(bpf_link_create_opts, link);
    link.uprobe_multi.path = "/";
    link.uprobe_multi.offsets = &offset;
    link.uprobe_multi.cnt = 1;
    Fd made(bpf_link_create(program.get(), -1, BPF_TRACE_UPROBE_MULTI, &link));
    return !made.open() && errno == EBADF;
}

bool probeKprobeMulti() {
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.expected_attach_type = BPF_TRACE_KPROBE_MULTI;
    Fd program(loadNothing(BPF_PROG_TYPE_KPROBE, &options));
    if (!program.open()) return false;
    const char *name = "bpf_fentry_test1";
    LIBBPF_OPTS(bpf_link_create_opts, link);
    link.kprobe_multi.syms = &name;
    link.kprobe_multi.cnt = 1;
    Fd made(bpf_link_create(program.get(), -1, BPF_TRACE_KPROBE_MULTI, &link));
    return made.open();
}

Features probe() {
    LogCapture quiet;
    Features has{};
    has.btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    has.fentry = has.btf && probeTracing(BPF_TRACE_FENTRY, "bpf_fentry_test1", BTF_KIND_FUNC, true);
    has.rawTracepointBtf =
        has.btf && probeTracing(BPF_TRACE_RAW_TP, "btf_trace_sched_switch", BTF_KIND_TYPEDEF, false);
    has.kprobe = access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0;
    has.kprobeMulti = has.kprobe && probeKprobeMulti();
    has.uprobeMulti = probeUprobeMulti();
    has.ringBuffer = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1;
    has.cgroupStorage = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_CGRP_STORAGE, nullptr) == 1;
    has.taskPtRegs =
        libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_pt_regs, nullptr) == 1;
    return has;
}

const char *architecture() {
#if defined(__x86_64__)
    return "x86";
#elif defined(__aarch64__)
    return "arm64";
#else
#error "Sonde knows x86-64 and arm64"
#endif
}

/// features(): { btf, fentry, … }
Napi::Value featuresOf(const Napi::CallbackInfo &info) {
    const Features &has = features();
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("btf", has.btf);
    object.Set("fentry", has.fentry);
    object.Set("kprobe", has.kprobe);
    object.Set("rawTracepointBtf", has.rawTracepointBtf);
    object.Set("ringBuffer", has.ringBuffer);
    object.Set("uprobeMulti", has.uprobeMulti);
    object.Set("cgroupStorage", has.cgroupStorage);
    object.Set("taskPtRegs", has.taskPtRegs);
    object.Set("arch", architecture());
    return object;
}

/// supports(section: string): string | null
Napi::Value supports(const Napi::CallbackInfo &info) {
    std::string reason = missingHook(info[0].ToString().Utf8Value());
    if (reason.empty()) return info.Env().Null();
    return Napi::String::New(info.Env(), reason);
}

void endWarmUp(void *thread) {
    std::unique_ptr<std::thread> owned(static_cast<std::thread *>(thread));
    owned->join();
}

/// warmUp(): void
Napi::Value warmUp(const Napi::CallbackInfo &info) {
    auto *thread = new std::thread([] {
        pthread_setname_np(pthread_self(), "sonde-warm-up");
        try {
            keepKernelBtf();
        } catch (const Failure &) {
            // Whoever needs it will say so.
        }
        features();
    });
    // It must not run on while the process takes itself apart.
    napi_add_env_cleanup_hook(info.Env(), endWarmUp, thread);
    return info.Env().Undefined();
}

}  // namespace

const Features &features() {
    static std::mutex lock;
    static Features known;
    static bool asked = false;
    std::lock_guard<std::mutex> hold(lock);
    // What was asked without the right to ask is not remembered as an answer.
    if (!asked) {
        known = probe();
        asked = mayLoadPrograms();
    }
    return known;
}

bool mayLoadPrograms() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) != 0) return false;
    uint64_t effective = data[0].effective | uint64_t(data[1].effective) << 32;
    auto has = [&](int capability) { return (effective >> capability) & 1; };
    return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
}

void addFeatures(Napi::Env, Napi::Object exports) {
    addFunction(exports, "features", featuresOf);
    addFunction(exports, "warmUp", warmUp);
    addFunction(exports, "supports", supports);
}
