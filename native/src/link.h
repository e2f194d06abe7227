// Several object files joined into one by libbpf's linker: a generated program and the runtime that it calls.
#pragma once

#include <string>
#include <vector>

#include <napi.h>

/// A relocatable object: the path of its file, or its bytes.
struct LinkPart {
    std::string path;
    const uint8_t *bytes = nullptr;
    size_t size = 0;
};

/// The joined object as a file in memory; gone with this.
class LinkedFile {
  public:
    /// Throws NotFound, InvalidObject with the linker's words, SystemError.
    explicit LinkedFile(const std::vector<LinkPart> &parts);
    ~LinkedFile();
    LinkedFile(const LinkedFile &) = delete;
    LinkedFile &operator=(const LinkedFile &) = delete;

    std::string path() const;

  private:
    void join(const std::vector<LinkPart> &parts);

    int fd_;
};

/// The parts as JavaScript names them: paths and Uint8Arrays, which must stay as they are meanwhile.
std::vector<LinkPart> linkParts(const Napi::Value &value);
