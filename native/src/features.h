// What this kernel has. Each question is asked of the kernel once per process, with a tiny program that does
// not stay.
#pragma once

#include <string>

#include <napi.h>

struct Features {
    bool btf, fentry, kprobe, kprobeMulti, rawTracepointBtf, ringBuffer, uprobeMulti, cgroupStorage,
        taskPtRegs;
};

const Features &features();
/// Empty where this kernel has the hook that an ELF section asks for; else the reason in words.
std::string missingHook(const std::string &section);
/// CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
bool mayLoadPrograms();

void addFeatures(Napi::Env env, Napi::Object exports);
