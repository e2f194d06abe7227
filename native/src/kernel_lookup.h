// KernelTypes (native/api.ts): the kernel's BTF by name; see kernel_lookup.cc.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "handle.h"
#include "kernel_btf.h"

/// class KernelTypes
class KernelTypesHandle : public Handle<KernelTypesHandle> {
  public:
    static constexpr const char *name = "KernelTypes";
    static constexpr napi_type_tag tag = {0x736f6e6465000008, 1};
    explicit KernelTypesHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    static void define(Napi::Env env);

    std::shared_ptr<const KernelBtf> btf;
    /// The module's own types begin here; 1 for the kernel's.
    uint32_t first = 1;

  private:
    struct Enumerator {
        uint32_t enumeration;
        int64_t value;
    };

    const KernelBtf &open() const;
    Napi::Value layout(const Napi::CallbackInfo &info);
    Napi::Value named(const Napi::CallbackInfo &info);
    Napi::Value function(const Napi::CallbackInfo &info);
    Napi::Value tracepoint(const Napi::CallbackInfo &info);
    Napi::Value functions(const Napi::CallbackInfo &info);
    Napi::Value tracepoints(const Napi::CallbackInfo &info);
    Napi::Value enumerator(const Napi::CallbackInfo &info);
    Napi::Value enumerators(const Napi::CallbackInfo &info);
    Napi::Value close(const Napi::CallbackInfo &info);

    /// Made at the first question: most programs ask for none.
    std::unordered_map<std::string, Enumerator> enumerators_;
};

void addKernelLookup(Napi::Env env, Napi::Object exports);
