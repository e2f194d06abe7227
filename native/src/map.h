// Maps as JavaScript sees them: whole reads in batches, single keys, BTF-decoded or raw.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "object.h"

/// Keys and values end to end, as the kernel gave them (per-CPU values: all CPUs' slots).
struct MapContents {
    size_t count = 0;
    std::vector<uint8_t> keys, values;
};

/// map_read.cc: all entries; with `drain` they are deleted (array elements: zeroed) by the same calls.
MapContents readMap(const bpf_map *map, bool drain);
/// Bytes of one value as the kernel gives it.
size_t storedValueSize(const bpf_map *map);
bool isPerCpu(const bpf_map *map);
size_t possibleCpus();

/// class BpfMap
class MapHandle : public Handle<MapHandle> {
  public:
    static constexpr const char *name = "BpfMap";
    static constexpr napi_type_tag tag = {0x736f6e6465000003, 1};
    explicit MapHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    static void define(Napi::Env env);
    static Napi::Value make(Napi::Env env, std::shared_ptr<Object> object, bpf_map *map);

  private:
    Napi::Value nameOf(const Napi::CallbackInfo &info);
    Napi::Value entries(const Napi::CallbackInfo &info);
    Napi::Value bytes(const Napi::CallbackInfo &info);
    Napi::Value get(const Napi::CallbackInfo &info);
    Napi::Value set(const Napi::CallbackInfo &info);
    Napi::Value remove(const Napi::CallbackInfo &info);

    /// Throws Closed, and InvalidArgument before load.
    int fd() const;
    const char *label() const { return bpf_map__name(map_); }
    Napi::Value decodeKey(Napi::Env env, const uint8_t *key) const;
    Napi::Value decodeValue(Napi::Env env, const uint8_t *stored) const;
    std::vector<uint8_t> encodeKey(const Napi::Value &value) const;

    std::shared_ptr<Object> object_;
    bpf_map *map_ = nullptr;
};

void addMap(Napi::Env env, Napi::Object exports);
