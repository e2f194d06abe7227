// A BPF object file from open to close. Map and link handles share it: it is freed with the last of them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <napi.h>

#include "handle.h"
#include "kernel_types.h"

/// A global variable of the object.
struct Variable {
    bpf_map *map;
    uint32_t type;
    size_t offset;
    size_t size;
    bool constant;
};

class Object {
  public:
    /// label: what messages and the kernel's maps call it, where the path says nothing.
    explicit Object(const std::string &path, const std::string &label = "");
    ~Object();
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;

    void load();
    void close();

    /// Throw Closed, NotFound.
    bpf_object *open() const;
    const btf *types() const { return types_; }
    bpf_map *map(const std::string &name) const;
    bpf_program *program(const std::string &name) const;
    const Variable &variable(const std::string &name) const;
    bool loaded() const { return loaded_; }
    const std::string &path() const { return path_; }

    /// Detached at close or by detach(id), whichever comes first.
    size_t keep(std::vector<bpf_link *> links);
    void detach(size_t id);

  private:
    void findVariables();

    std::string path_;
    KernelTypesFile kernelTypes_;
    bpf_object *object_ = nullptr;
    const btf *types_ = nullptr;
    bool tried_ = false;
    bool loaded_ = false;
    std::map<std::string, Variable> variables_;
    std::map<size_t, std::vector<bpf_link *>> links_;
    size_t nextLink_ = 1;
};

/// attach.cc: attaches by AttachOptions.
std::vector<bpf_link *> attachProgram(bpf_program *program, const Napi::Value &options);
/// attach.cc: why loading or attaching failed, by what this kernel and process can.
Failure attachFailure(const bpf_program *program, const std::string &tried, int error,
                      const class LogCapture &log);

/// class BpfObject
class ObjectHandle : public Handle<ObjectHandle> {
  public:
    static constexpr const char *name = "BpfObject";
    static constexpr napi_type_tag tag = {0x736f6e6465000001, 1};
    explicit ObjectHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    static void define(Napi::Env env);

    std::shared_ptr<Object> object;

  private:
    Napi::Value programs(const Napi::CallbackInfo &info);
    Napi::Value maps(const Napi::CallbackInfo &info);
    Napi::Value setVariable(const Napi::CallbackInfo &info);
    Napi::Value getVariable(const Napi::CallbackInfo &info);
    Napi::Value setMaxEntries(const Napi::CallbackInfo &info);
    Napi::Value setAutoload(const Napi::CallbackInfo &info);
    Napi::Value load(const Napi::CallbackInfo &info);
    Napi::Value attach(const Napi::CallbackInfo &info);
    Napi::Value run(const Napi::CallbackInfo &info);
    Napi::Value iterate(const Napi::CallbackInfo &info);
    Napi::Value attachMany(const Napi::CallbackInfo &info);
    Napi::Value map(const Napi::CallbackInfo &info);
    Napi::Value memory(const Napi::CallbackInfo &info);
    Napi::Value close(const Napi::CallbackInfo &info);

    /// Throws NotFound, InvalidArgument.
    bpf_program *loadedProgram(const Napi::Value &name) const;
};

/// class Link
class LinkHandle : public Handle<LinkHandle> {
  public:
    static constexpr const char *name = "Link";
    static constexpr napi_type_tag tag = {0x736f6e6465000002, 1};
    explicit LinkHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    static void define(Napi::Env env);

    std::shared_ptr<Object> object;
    size_t id = 0;

  private:
    Napi::Value close(const Napi::CallbackInfo &info);
};

void addObject(Napi::Env env, Napi::Object exports);
