// Running a program without waiting for its hook; see program_run.h.

#include "program_run.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>

#include "log.h"
#include "object.h"

uint32_t runProgram(bpf_program *program, const std::vector<uint64_t> &arguments) {
    // As many arguments as a raw tracepoint can have.
    uint64_t context[12] = {};
    if (arguments.size() > std::size(context))
        throw Failure(Code::InvalidArgument, "a raw tracepoint has at most 12 arguments");
    std::copy(arguments.begin(), arguments.end(), context);
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.ctx_in = context;
    options.ctx_size_in = sizeof context;
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0) return options.retval;
    int error = errno;
    std::string tried = std::string("run program ") + bpf_program__name(program);
    if (error == EINVAL || error == EOPNOTSUPP || error == 524 /* the kernel's ENOTSUPP */)
        throw Failure(Code::NotSupported, tried + ": this kernel can't run it by hand (Linux 5.10)", error);
    throw systemFailure(tried, error);
}

void iterateProgram(bpf_program *program) {
    LogCapture log;
    std::string tried = std::string("iterate with program ") + bpf_program__name(program);
    std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)> link(bpf_program__attach_iter(program, nullptr),
                                                                 bpf_link__destroy);
    if (!link) throw attachFailure(program, tried, errno, log);
    int fd = bpf_iter_create(bpf_link__fd(link.get()));
    if (fd < 0) throw systemFailure(tried, errno);
    char ignored[4096];
    ssize_t length;
    do length = read(fd, ignored, sizeof ignored);
    while (length > 0 || (length < 0 && (errno == EINTR || errno == EAGAIN)));
    int error = length < 0 ? errno : 0;
    close(fd);
    if (error) throw systemFailure(tried, error);
}
