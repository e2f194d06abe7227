// The part of the kernel's BTF that an object asks for; see kernel_types.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <bpf/btf.h>

/// A file in memory that libbpf reads an object's kernel types from. Made empty when the object is opened,
/// filled when it is loaded.
class KernelTypesFile {
  public:
    KernelTypesFile();
    ~KernelTypesFile();
    KernelTypesFile(const KernelTypesFile &) = delete;
    KernelTypesFile &operator=(const KernelTypesFile &) = delete;

    std::string path() const;
    /// `local`: the object's own types. Throws NotSupported where the kernel has no BTF, SystemError.
    void fill(const btf *local);
    void close();

  private:
    int fd_;
};
