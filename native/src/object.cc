// Objects: parse, set variables, load, close; see object.h. The JavaScript side of it is object_handle.cc.

#include "object.h"

#include <signal.h>

#include <cstring>
#include <string_view>

#include "errors.h"
#include "features.h"
#include "log.h"
#include "trace_sections.h"

Object::Object(const std::string &path, const std::string &label) : path_(label.empty() ? path : label) {
    LogCapture log;
    registerTraceSections();
    std::string kernelTypes = kernelTypes_.path();
    LIBBPF_OPTS(bpf_object_open_opts, options);
    options.btf_custom_path = kernelTypes.c_str();
    if (!label.empty()) options.object_name = label.c_str();
    object_ = bpf_object__open_file(path.c_str(), &options);
    if (!object_) {
        int error = errno;
        std::string tried = "open BPF object " + path_;
        if (error == ENOENT || error == EACCES || error == EMFILE)
            throw systemFailure(tried, error, log.text());
        throw Failure(Code::InvalidObject,
                      tried + ": " + (log.text().empty() ? strerror(error) : log.lastLine()), error,
                      log.text());
    }
    types_ = bpf_object__btf(object_);
    // Alternatives stay out of the kernel until they are chosen.
    bpf_program *program;
    bpf_object__for_each_program(program, object_) bpf_program__set_autoload(program, false);
    findVariables();
}

Object::~Object() {
    close();
}

void Object::close() {
    if (!object_) return;
    for (auto &[id, links] : links_)
        for (bpf_link *link : links) bpf_link__destroy(link);
    links_.clear();
    variables_.clear();
    bpf_object__close(object_);
    object_ = nullptr;
    types_ = nullptr;
    kernelTypes_.close();
}

bpf_object *Object::open() const {
    if (!object_) throw Failure(Code::Closed, "BPF object " + path_ + " has been closed");
    return object_;
}

void Object::findVariables() {
    for (uint32_t id = 1; types_ && id < btf__type_cnt(types_); id++) {
        const btf_type *section = btf__type_by_id(types_, id);
        if (!btf_is_datasec(section)) continue;
        std::string_view name = btf__name_by_offset(types_, section->name_off);
        bool constant = name.starts_with(".rodata");
        if (!constant && !name.starts_with(".bss") && !name.starts_with(".data")) continue;
        bpf_map *map = bpf_object__find_map_by_name(object_, std::string(name).c_str());
        if (!map) continue;
        const btf_var_secinfo *entry = btf_var_secinfos(section);
        for (int i = 0; i < btf_vlen(section); i++, entry++) {
            const btf_type *variable = btf__type_by_id(types_, entry->type);
            if (!variable || !btf_is_var(variable)) continue;
            const char *own = btf__name_by_offset(types_, variable->name_off);
            if (own) variables_[own] = {map, variable->type, entry->offset, entry->size, constant};
        }
    }
}

const Variable &Object::variable(const std::string &name) const {
    open();
    auto found = variables_.find(name);
    if (found == variables_.end()) throw Failure(Code::NotFound, path_ + " has no global variable " + name);
    return found->second;
}

bpf_map *Object::map(const std::string &name) const {
    bpf_map *found = bpf_object__find_map_by_name(open(), name.c_str());
    if (!found) throw Failure(Code::NotFound, path_ + " has no map " + name);
    return found;
}

bpf_program *Object::program(const std::string &name) const {
    bpf_program *found = bpf_object__find_program_by_name(open(), name.c_str());
    if (!found) throw Failure(Code::NotFound, path_ + " has no program " + name);
    return found;
}

void Object::load() {
    open();
    if (tried_)
        throw Failure(Code::InvalidArgument,
                      path_ + " was loaded before, or failed to: open it again to try again");
    tried_ = true;
    const bpf_program *hookless = nullptr;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        if (!bpf_program__autoload(program)) continue;
        std::string_view section = bpf_program__section_name(program);
        bool user = section == "uprobe" || section == "uretprobe" || section.starts_with("uprobe/") ||
                    section.starts_with("uretprobe/");
        // One link for many functions instead of one perf event for each.
        if (user && features().uprobeMulti)
            bpf_program__set_expected_attach_type(program, BPF_TRACE_UPROBE_MULTI);
    }
    if (types_) kernelTypes_.fill(types_);
    LogCapture log;
    // The verifier gives up with EAGAIN when a signal is pending (a profiler sends one every millisecond):
    // they wait until it is done.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed_load = bpf_object__load(object_);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failed_load == 0) {
        loaded_ = true;
        return;
    }
    std::string failed = log.failedProgram();
    bpf_object__for_each_program(program, object_) {
        if (!bpf_program__autoload(program)) continue;
        if (failed == bpf_program__name(program)) hookless = program;
        if (failed.empty() && !missingHook(bpf_program__section_name(program)).empty()) hookless = program;
    }
    throw attachFailure(hookless, "load " + path_ + (failed.empty() ? "" : ", program " + failed), error,
                        log);
}

size_t Object::keep(std::vector<bpf_link *> links) {
    links_[nextLink_] = std::move(links);
    return nextLink_++;
}

void Object::detach(size_t id) {
    auto found = links_.find(id);
    if (found == links_.end()) return;
    for (bpf_link *link : found->second) bpf_link__destroy(link);
    links_.erase(found);
}
