// Joining object files; see link.h.

#include "link.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arguments.h"
#include "errors.h"
#include "log.h"

namespace {

std::string named(const LinkPart &part) {
    return part.bytes ? "object of " + std::to_string(part.size) + " bytes" : part.path;
}

[[noreturn]] void fail(const std::string &tried, int error, const LogCapture &log) {
    if (error == ENOENT || error == EACCES || error == EMFILE || error == ENOMEM)
        throw systemFailure(tried, error, log.text());
    throw Failure(Code::InvalidObject, tried + ": " + (log.text().empty() ? strerror(error) : log.lastLine()),
                  error, log.text());
}

}  // namespace

LinkedFile::LinkedFile(const std::vector<LinkPart> &parts) : fd_(memfd_create("sonde-program", MFD_CLOEXEC)) {
    if (fd_ < 0) throw systemFailure("make a file in memory to link a program", errno);
    try {
        join(parts);
    } catch (...) {
        close(fd_);
        throw;
    }
}

LinkedFile::~LinkedFile() {
    close(fd_);
}

std::string LinkedFile::path() const {
    return "/proc/self/fd/" + std::to_string(fd_);
}

void LinkedFile::join(const std::vector<LinkPart> &parts) {
    LogCapture log;
    std::unique_ptr<bpf_linker, decltype(&bpf_linker__free)> linker(bpf_linker__new_fd(fd_, nullptr),
                                                                    bpf_linker__free);
    if (!linker) fail("begin to link a program", errno, log);
    for (const LinkPart &part : parts) {
        int error = part.bytes ? bpf_linker__add_buf(linker.get(), const_cast<uint8_t *>(part.bytes),
                                                     part.size, nullptr)
                               : bpf_linker__add_file(linker.get(), part.path.c_str(), nullptr);
        if (error) fail("link " + named(part), -error, log);
    }
    if (int error = bpf_linker__finalize(linker.get())) fail("link a program", -error, log);
}

std::vector<LinkPart> linkParts(const Napi::Value &value) {
    if (!value.IsArray() || value.As<Napi::Array>().Length() == 0)
        throw Failure(Code::InvalidArgument, "parts must be a list of paths and bytes");
    std::vector<LinkPart> parts;
    auto list = value.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) {
        Napi::Value part = list.Get(i);
        if (part.IsTypedArray()) {
            auto bytes = part.As<Napi::Uint8Array>();
            parts.push_back({"", bytes.Data(), bytes.ByteLength()});
        } else {
            parts.push_back({textArgument(part, "a part"), nullptr, 0});
        }
    }
    return parts;
}
