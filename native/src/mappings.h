// Mappings of native/api.ts as JavaScript holds it: a handle on the watch in mappings_watch.h.
#pragma once

#include "handle.h"
#include "mappings_watch.h"

class Mappings : public Handle<Mappings> {
  public:
    static constexpr const char *name = "Mappings";
    static constexpr napi_type_tag tag = {0x6d617070696e6773, 0x31f8c05b7a2e4d96};

    explicit Mappings(const Napi::CallbackInfo &info) : Handle(info) {}
    static void add(Napi::Env env, Napi::Object exports);

    std::shared_ptr<MappingWatch> watch;

  private:
    Napi::Value addProcess(const Napi::CallbackInfo &info);
    Napi::Value counters(const Napi::CallbackInfo &info);
    Napi::Value close(const Napi::CallbackInfo &info);
};

void addMappings(Napi::Env env, Napi::Object exports);
