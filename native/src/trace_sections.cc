// tp_btf, fentry and fexit programs without libbpf's own search for what they attach to: for any such program
// it reads all of the kernel's types (5 ms of a session's start) to find one id, which hooks.cc knows.

#include "trace_sections.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "hooks.h"

namespace {

struct Section {
    const char *kind; /* as in SEC(), with its slash */
    bpf_attach_type attach;
    const char *prefix; /* of the name among the kernel's types */
    uint32_t type;
};

const Section sections[] = {
    {"tp_btf/", BPF_TRACE_RAW_TP, "btf_trace_", BTF_KIND_TYPEDEF},
    {"fentry/", BPF_TRACE_FENTRY, "", BTF_KIND_FUNC},
    {"fexit/", BPF_TRACE_FEXIT, "", BTF_KIND_FUNC},
};

const Section *sectionOf(const bpf_program *program) {
    const char *name = bpf_program__section_name(program);
    for (const Section &section : sections)
        if (strncmp(name, section.kind, strlen(section.kind)) == 0) return &section;
    return nullptr;
}

/// The program becomes what it is only now: libbpf reads the kernel's types for every object with a program
/// of this type.
int prepareLoad(bpf_program *program, bpf_prog_load_opts *options, long) {
    const Section *section = sectionOf(program);
    if (!section) return -EINVAL;
    std::string name =
        section->prefix + std::string(bpf_program__section_name(program) + strlen(section->kind));
    int32_t id = vmlinuxTypeId(name, section->type);
    if (id <= 0) return -ESRCH;
    if (int error = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING)) return error;
    if (int error = bpf_program__set_expected_attach_type(program, section->attach)) return error;
    options->expected_attach_type = section->attach;
    options->attach_btf_id = uint32_t(id);
    return 0;
}

}  // namespace

void registerTraceSections() {
    static std::once_flag once;
    std::call_once(once, [] {
        LIBBPF_OPTS(libbpf_prog_handler_opts, options);
        options.prog_prepare_load_fn = prepareLoad;
        for (const Section &section : sections) {
            // "tp_btf+": with or without a slash and what follows.
            std::string kind = std::string(section.kind, strlen(section.kind) - 1) + "+";
            libbpf_register_prog_handler(kind.c_str(), BPF_PROG_TYPE_RAW_TRACEPOINT, section.attach,
                                         &options);
        }
    });
}

bool isTraceSection(const bpf_program *program) {
    return sectionOf(program) != nullptr;
}
