// BpfObject and Link as JavaScript sees them (native/api.ts); the work is in object.cc, attach.cc, btf.cc.

#include <cstring>
#include <fstream>

#include "arguments.h"
#include "btf.h"
#include "link.h"
#include "map.h"
#include "object.h"
#include "program_run.h"
#include "log.h"

namespace {

/// openObject(path: string): BpfObject
Napi::Value openObject(const Napi::CallbackInfo &info) {
    auto opened = std::make_shared<Object>(textArgument(info[0], "path"));
    Napi::Object object;
    ObjectHandle::create(info.Env(), &object)->object = std::move(opened);
    return object;
}

/// openLinked(parts: (string | Uint8Array)[]): BpfObject
Napi::Value openLinked(const Napi::CallbackInfo &info) {
    // libbpf has read all of the file when it is open.
    LinkedFile file(linkParts(info[0]));
    auto opened = std::make_shared<Object>(file.path(), "program");
    Napi::Object object;
    ObjectHandle::create(info.Env(), &object)->object = std::move(opened);
    return object;
}

uint64_t heldMemory(int fd) {
    std::ifstream file("/proc/self/fdinfo/" + std::to_string(fd));
    std::string name;
    uint64_t value = 0;
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("memlock:")) value = strtoull(line.c_str() + 8, nullptr, 10);
    return value;
}

uint8_t *variableMemory(const Variable &variable, const std::string &name) {
    size_t size = 0;
    auto *memory = static_cast<uint8_t *>(const_cast<void *>(bpf_map__initial_value(variable.map, &size)));
    if (!memory || variable.offset + variable.size > size)
        throw Failure(Code::NotSupported, "variable " + name + " is not mapped into memory on this kernel");
    return memory + variable.offset;
}

}  // namespace

void ObjectHandle::define(Napi::Env env) {
    Handle::define(env, {
                            getter<&ObjectHandle::programs>("programs"),
                            getter<&ObjectHandle::maps>("maps"),
                            method<&ObjectHandle::setVariable>("setVariable"),
                            method<&ObjectHandle::getVariable>("getVariable"),
                            method<&ObjectHandle::setMaxEntries>("setMaxEntries"),
                            method<&ObjectHandle::setAutoload>("setAutoload"),
                            method<&ObjectHandle::load>("load"),
                            method<&ObjectHandle::attach>("attach"),
                            method<&ObjectHandle::run>("run"),
                            method<&ObjectHandle::iterate>("iterate"),
                            method<&ObjectHandle::attachMany>("attachMany"),
                            method<&ObjectHandle::map>("map"),
                            method<&ObjectHandle::memory>("memory"),
                            method<&ObjectHandle::close>("close"),
                        });
}

/// programs: ProgramInfo[]
Napi::Value ObjectHandle::programs(const Napi::CallbackInfo &info) {
    Napi::Array list = Napi::Array::New(info.Env());
    bpf_program *program;
    bpf_object__for_each_program(program, object->open()) {
        Napi::Object entry = Napi::Object::New(info.Env());
        entry.Set("name", bpf_program__name(program));
        entry.Set("section", bpf_program__section_name(program));
        list.Set(list.Length(), entry);
    }
    return list;
}

/// maps: MapInfo[]
Napi::Value ObjectHandle::maps(const Napi::CallbackInfo &info) {
    Napi::Array list = Napi::Array::New(info.Env());
    bpf_map *map;
    bpf_object__for_each_map(map, object->open()) {
        const char *type = libbpf_bpf_map_type_str(bpf_map__type(map));
        Napi::Object entry = Napi::Object::New(info.Env());
        entry.Set("name", bpf_map__name(map));
        entry.Set("type", type ? type : std::to_string(bpf_map__type(map)));
        entry.Set("keySize", bpf_map__key_size(map));
        entry.Set("valueSize", bpf_map__value_size(map));
        entry.Set("maxEntries", bpf_map__max_entries(map));
        list.Set(list.Length(), entry);
    }
    return list;
}

/// setVariable(name: string, value: BtfValue): void
Napi::Value ObjectHandle::setVariable(const Napi::CallbackInfo &info) {
    std::string name = textArgument(info[0], "name");
    const Variable &variable = object->variable(name);
    if (variable.constant && object->loaded())
        throw Failure(Code::InvalidArgument,
                      "variable " + name + " is constant: it can be set before load only");
    std::vector<uint8_t> bytes(variable.size);
    btfEncode(object->types(), variable.type, info[1], bytes.data(), bytes.size(), "variable " + name);
    uint8_t *memory = variableMemory(variable, name);
    // Programs may be reading: whole words at once where it is one.
    if (bytes.size() == 8 && uintptr_t(memory) % 8 == 0)
        __atomic_store_n(reinterpret_cast<uint64_t *>(memory), *reinterpret_cast<uint64_t *>(bytes.data()),
                         __ATOMIC_RELEASE);
    else if (bytes.size() == 4 && uintptr_t(memory) % 4 == 0)
        __atomic_store_n(reinterpret_cast<uint32_t *>(memory), *reinterpret_cast<uint32_t *>(bytes.data()),
                         __ATOMIC_RELEASE);
    else
        memcpy(memory, bytes.data(), bytes.size());
    return info.Env().Undefined();
}

/// getVariable(name: string): BtfValue
Napi::Value ObjectHandle::getVariable(const Napi::CallbackInfo &info) {
    std::string name = textArgument(info[0], "name");
    const Variable &variable = object->variable(name);
    return btfDecode(info.Env(), object->types(), variable.type, variableMemory(variable, name),
                     variable.size);
}

/// setMaxEntries(map: string, entries: number): void
Napi::Value ObjectHandle::setMaxEntries(const Napi::CallbackInfo &info) {
    std::string name = textArgument(info[0], "map");
    bpf_map *map = object->map(name);
    auto entries = uint32_t(integerArgument(info[1], "entries of map " + name, 1, UINT32_MAX));
    if (bpf_map__set_max_entries(map, entries) != 0)
        throw Failure(Code::InvalidArgument, "map " + name + " can be sized before load only");
    return info.Env().Undefined();
}

/// setAutoload(program: string, on: boolean): void
Napi::Value ObjectHandle::setAutoload(const Napi::CallbackInfo &info) {
    std::string name = textArgument(info[0], "program");
    if (bpf_program__set_autoload(object->program(name), info[1].ToBoolean().Value()) != 0)
        throw Failure(Code::InvalidArgument,
                      "program " + name + " can be switched on or off before load only");
    return info.Env().Undefined();
}

/// load(): void
Napi::Value ObjectHandle::load(const Napi::CallbackInfo &info) {
    object->load();
    return info.Env().Undefined();
}

/// attach(program: string, options?: AttachOptions): Link
Napi::Value ObjectHandle::attach(const Napi::CallbackInfo &info) {
    bpf_program *program = loadedProgram(info[0]);
    Napi::Object link;
    LinkHandle *handle = LinkHandle::create(info.Env(), &link);
    handle->id = object->keep(attachProgram(program, info[1]));
    handle->object = object;
    return link;
}

bpf_program *ObjectHandle::loadedProgram(const Napi::Value &given) const {
    std::string name = textArgument(given, "program");
    bpf_program *program = object->program(name);
    if (bpf_program__fd(program) < 0)
        throw Failure(Code::InvalidArgument,
                      "program " + name + " is not loaded: switch it on with setAutoload, then load");
    return program;
}

/// run(program: string, context?: BigUint64Array): number
Napi::Value ObjectHandle::run(const Napi::CallbackInfo &info) {
    bpf_program *program = loadedProgram(info[0]);
    std::vector<uint64_t> context;
    if (!info[1].IsUndefined()) {
        if (!info[1].IsTypedArray() ||
            info[1].As<Napi::TypedArray>().TypedArrayType() != napi_biguint64_array)
            throw Failure(Code::InvalidArgument, "context must be a BigUint64Array");
        auto words = info[1].As<Napi::BigUint64Array>();
        context.assign(words.Data(), words.Data() + words.ElementLength());
    }
    return Napi::Number::New(info.Env(), runProgram(program, context));
}

/// iterate(program: string): void
Napi::Value ObjectHandle::iterate(const Napi::CallbackInfo &info) {
    iterateProgram(loadedProgram(info[0]));
    return info.Env().Undefined();
}

/// attachMany(program: string): void
Napi::Value ObjectHandle::attachMany(const Napi::CallbackInfo &info) {
    std::string name = textArgument(info[0], "program");
    if (bpf_program__set_expected_attach_type(object->program(name), BPF_TRACE_KPROBE_MULTI) != 0)
        throw Failure(Code::InvalidArgument, "program " + name + " is loaded: say before how it is attached");
    return info.Env().Undefined();
}

/// map(name: string): BpfMap
Napi::Value ObjectHandle::map(const Napi::CallbackInfo &info) {
    return MapHandle::make(info.Env(), object, object->map(textArgument(info[0], "name")));
}

/// memory(): number
Napi::Value ObjectHandle::memory(const Napi::CallbackInfo &info) {
    double bytes = 0;
    bpf_map *map;
    bpf_object__for_each_map(map, object->open()) if (bpf_map__fd(map) >= 0) bytes +=
        heldMemory(bpf_map__fd(map));
    bpf_program *program;
    bpf_object__for_each_program(program, object->open()) if (bpf_program__fd(program) >= 0) bytes +=
        heldMemory(bpf_program__fd(program));
    return Napi::Number::New(info.Env(), bytes);
}

/// close(): void
Napi::Value ObjectHandle::close(const Napi::CallbackInfo &info) {
    object->close();
    return info.Env().Undefined();
}

void LinkHandle::define(Napi::Env env) {
    Handle::define(env, {method<&LinkHandle::close>("close")});
}

/// close(): void
Napi::Value LinkHandle::close(const Napi::CallbackInfo &info) {
    if (object) object->detach(id);
    object.reset();
    return info.Env().Undefined();
}

void addObject(Napi::Env env, Napi::Object exports) {
    ObjectHandle::define(env);
    LinkHandle::define(env);
    addFunction(exports, "openObject", openObject);
    addFunction(exports, "openLinked", openLinked);
}
