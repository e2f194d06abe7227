// See mappings.h.

#include "mappings.h"

#include <unistd.h>

#include "addon.h"
#include "arguments.h"

// openMappings(): Mappings
static Napi::Value openMappings(const Napi::CallbackInfo &info) {
    auto watch = std::make_shared<MappingWatch>(true);
    Napi::Object object;
    Mappings::create(info.Env(), &object)->watch = std::move(watch);
    return object;
}

// addProcess(pid: number): void
Napi::Value Mappings::addProcess(const Napi::CallbackInfo &info) {
    if (!watch) throw Failure(Code::Closed, "these mappings are closed");
    int64_t pid = integerArgument(info[0], "pid", 1, INT32_MAX);
    if (access(("/proc/" + std::to_string(pid)).c_str(), F_OK) != 0)
        throw Failure(Code::NotFound, "there is no process " + std::to_string(pid), ESRCH);
    watch->addProcess(uint32_t(pid));
    return info.Env().Undefined();
}

// counters(): { records: number; lost: number; files: number; spaces: number; endedBytes: number;
// cpuNanoseconds: number }
Napi::Value Mappings::counters(const Napi::CallbackInfo &info) {
    if (!watch) throw Failure(Code::Closed, "these mappings are closed");
    MappingWatch::Counters now = watch->counters();
    Napi::Object out = Napi::Object::New(info.Env());
    out["records"] = double(now.records);
    out["lost"] = double(now.lost);
    out["files"] = double(now.files);
    out["spaces"] = double(now.spaces);
    out["endedBytes"] = double(now.endedBytes);
    out["cpuNanoseconds"] = double(now.cpuNanoseconds);
    return out;
}

// close(): void
Napi::Value Mappings::close(const Napi::CallbackInfo &info) {
    if (watch) watch->close();
    watch = nullptr;
    return info.Env().Undefined();
}

void Mappings::add(Napi::Env env, Napi::Object exports) {
    define(env, {method<&Mappings::addProcess>("addProcess"), method<&Mappings::counters>("counters"),
                 method<&Mappings::close>("close")});
    addFunction(exports, "openMappings", openMappings);
}

void addMappings(Napi::Env env, Napi::Object exports) {
    Mappings::add(env, exports);
}
