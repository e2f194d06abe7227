// BpfMap (native/api.ts); reading whole maps is in map_read.cc.

#include "map.h"

#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>

#include "arguments.h"
#include "btf.h"

namespace {

Napi::Uint8Array copied(Napi::Env env, const uint8_t *bytes, size_t size) {
    Napi::Uint8Array array = Napi::Uint8Array::New(env, size);
    if (size) memcpy(array.Data(), bytes, size);
    return array;
}

/// Sums the slots of all CPUs as 64-bit words into the first.
void sumWords(uint8_t *stored, size_t slot) {
    for (size_t cpu = 1; cpu < possibleCpus(); cpu++)
        for (size_t at = 0; at + 8 <= slot; at += 8) {
            uint64_t sum, more;
            memcpy(&sum, stored + at, 8);
            memcpy(&more, stored + cpu * slot + at, 8);
            sum += more;
            memcpy(stored + at, &sum, 8);
        }
}

}  // namespace

void MapHandle::define(Napi::Env env) {
    Handle::define(env, {
                            getter<&MapHandle::nameOf>("name"),
                            method<&MapHandle::entries>("entries"),
                            method<&MapHandle::bytes>("bytes"),
                            method<&MapHandle::get>("get"),
                            method<&MapHandle::set>("set"),
                            method<&MapHandle::remove>("delete"),
                        });
}

Napi::Value MapHandle::make(Napi::Env env, std::shared_ptr<Object> object, bpf_map *map) {
    Napi::Object made;
    MapHandle *handle = create(env, &made);
    handle->object_ = std::move(object);
    handle->map_ = map;
    return made;
}

int MapHandle::fd() const {
    object_->open();
    int fd = bpf_map__fd(map_);
    if (fd < 0 || !object_->loaded())
        throw Failure(Code::InvalidArgument,
                      std::string("map ") + label() + " is not in the kernel: load first");
    return fd;
}

Napi::Value MapHandle::decodeKey(Napi::Env env, const uint8_t *key) const {
    uint32_t type = bpf_map__btf_key_type_id(map_), size = bpf_map__key_size(map_);
    if (type) return btfDecode(env, object_->types(), type, key, size);
    if (size != 4) return copied(env, key, size);
    uint32_t index;
    memcpy(&index, key, 4);
    return Napi::Number::New(env, index);
}

Napi::Value MapHandle::decodeValue(Napi::Env env, const uint8_t *stored) const {
    uint32_t type = bpf_map__btf_value_type_id(map_), size = bpf_map__value_size(map_);
    size_t slot = (size + 7) / 8 * 8;
    std::vector<uint8_t> sum(stored, stored + size);
    if (isPerCpu(map_) && type)
        for (size_t cpu = 1; cpu < possibleCpus(); cpu++)
            btfAdd(object_->types(), type, sum.data(), stored + cpu * slot, size);
    return type ? btfDecode(env, object_->types(), type, sum.data(), size) : copied(env, sum.data(), size);
}

std::vector<uint8_t> MapHandle::encodeKey(const Napi::Value &value) const {
    std::vector<uint8_t> key(bpf_map__key_size(map_));
    std::string what = std::string("key of map ") + label();
    if (uint32_t type = bpf_map__btf_key_type_id(map_)) {
        btfEncode(object_->types(), type, value, key.data(), key.size(), what);
    } else if (value.IsTypedArray() && value.As<Napi::TypedArray>().ByteLength() == key.size()) {
        memcpy(key.data(), value.As<Napi::Uint8Array>().Data(), key.size());
    } else if (key.size() == 4) {
        auto index = uint32_t(integerArgument(value, what, 0, UINT32_MAX));
        memcpy(key.data(), &index, 4);
    } else {
        throw Failure(Code::InvalidArgument, what + ": expected " + std::to_string(key.size()) + " bytes");
    }
    return key;
}

/// name: string
Napi::Value MapHandle::nameOf(const Napi::CallbackInfo &info) {
    object_->open();
    return Napi::String::New(info.Env(), label());
}

/// entries(options?: { drain?: boolean }): { key: BtfValue; value: BtfValue }[]
Napi::Value MapHandle::entries(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    fd();
    MapContents contents = readMap(map_, booleanOption(info[0], "drain"));
    size_t keySize = bpf_map__key_size(map_), valueSize = storedValueSize(map_);
    Napi::Array list = Napi::Array::New(env, contents.count);
    for (size_t i = 0; i < contents.count; i++) {
        Napi::HandleScope scope(env);
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("key", decodeKey(env, contents.keys.data() + i * keySize));
        entry.Set("value", decodeValue(env, contents.values.data() + i * valueSize));
        list.Set(uint32_t(i), entry);
    }
    return list;
}

/// bytes(options?: { drain?: boolean; perCpu?: boolean }): { count: number; keys: Uint8Array; values:
/// Uint8Array }
Napi::Value MapHandle::bytes(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    fd();
    MapContents contents = readMap(map_, booleanOption(info[0], "drain"));
    if (isPerCpu(map_) && !booleanOption(info[0], "perCpu")) {
        size_t size = bpf_map__value_size(map_), slot = (size + 7) / 8 * 8, stored = storedValueSize(map_);
        for (size_t i = 0; i < contents.count; i++) {
            sumWords(contents.values.data() + i * stored, slot);
            memmove(contents.values.data() + i * size, contents.values.data() + i * stored, size);
        }
        contents.values.resize(contents.count * size);
    }
    Napi::Object result = Napi::Object::New(env);
    result.Set("count", double(contents.count));
    result.Set("keys", copied(env, contents.keys.data(), contents.keys.size()));
    result.Set("values", copied(env, contents.values.data(), contents.values.size()));
    return result;
}

/// get(key: BtfValue): BtfValue | undefined
Napi::Value MapHandle::get(const Napi::CallbackInfo &info) {
    int map = fd();
    std::vector<uint8_t> key = encodeKey(info[0]), value(storedValueSize(map_));
    if (bpf_map_lookup_elem(map, key.data(), value.data()) == 0) return decodeValue(info.Env(), value.data());
    if (errno == ENOENT) return info.Env().Undefined();
    throw systemFailure(std::string("look up a key in map ") + label(), errno);
}

/// set(key: BtfValue, value: BtfValue): void
Napi::Value MapHandle::set(const Napi::CallbackInfo &info) {
    int map = fd();
    size_t size = bpf_map__value_size(map_), slot = (size + 7) / 8 * 8;
    std::vector<uint8_t> key = encodeKey(info[0]), value(storedValueSize(map_));
    std::string what = std::string("value of map ") + label();
    uint32_t type = bpf_map__btf_value_type_id(map_);
    if (type) {
        btfEncode(object_->types(), type, info[1], value.data(), size, what);
    } else if (info[1].IsTypedArray() && info[1].As<Napi::TypedArray>().ByteLength() == size) {
        memcpy(value.data(), info[1].As<Napi::Uint8Array>().Data(), size);
    } else {
        auto number = uint32_t(integerArgument(info[1], what, 0, UINT32_MAX));
        memcpy(value.data(), &number, std::min<size_t>(size, 4));
    }
    if (isPerCpu(map_))
        for (size_t cpu = 1; cpu < possibleCpus(); cpu++)
            memcpy(value.data() + cpu * slot, value.data(), size);
    if (bpf_map_update_elem(map, key.data(), value.data(), BPF_ANY) != 0) {
        if (errno == E2BIG) throw Failure(Code::Exhausted, std::string("map ") + label() + " is full", E2BIG);
        throw systemFailure(std::string("write to map ") + label(), errno);
    }
    return info.Env().Undefined();
}

/// delete(key: BtfValue): boolean
Napi::Value MapHandle::remove(const Napi::CallbackInfo &info) {
    int map = fd();
    std::vector<uint8_t> key = encodeKey(info[0]);
    if (bpf_map_delete_elem(map, key.data()) == 0) return Napi::Boolean::New(info.Env(), true);
    if (errno == ENOENT) return Napi::Boolean::New(info.Env(), false);
    throw systemFailure(std::string("delete a key from map ") + label(), errno);
}

void addMap(Napi::Env env, Napi::Object) {
    MapHandle::define(env);
}
