// Opens libpcap; see pcap_library.h.

#include "pcap_library.h"

#include <dlfcn.h>

#include <mutex>
#include <string>

#include "errors.h"

const PcapLibrary &pcapLibrary() {
    static std::mutex lock;
    static PcapLibrary library;
    static bool open = false;
    std::lock_guard<std::mutex> hold(lock);
    if (open) return library;
    // Debian's name first, then its own.
    void *file = nullptr;
    for (const char *name : {"libpcap.so.0.8", "libpcap.so.1"})
        if (!file) file = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!file)
        throw Failure(Code::NotSupported,
                      "packets are captured with libpcap, which is not on this machine: "
                      "install it (Debian: libpcap0.8; others: libpcap)");
    auto find = [&](const char *name) {
        void *function = dlsym(file, name);
        if (function) return function;
        dlclose(file);
        throw Failure(Code::NotSupported, std::string("this machine's libpcap has no ") + name +
                                              ": install version 1.10 or newer");
    };
#define PCAP_FIND(name) library.name = reinterpret_cast<decltype(library.name)>(find("pcap_" #name));
    PCAP_FUNCTIONS(PCAP_FIND)
#undef PCAP_FIND
    open = true;
    return library;
}
