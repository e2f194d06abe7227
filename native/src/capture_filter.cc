// Classic BPF onto a socket; see capture_filter.h.

#include "capture_filter.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <vector>

namespace {

constexpr uint32_t beside(uint32_t what) {
    return uint32_t(SKF_AD_OFF) + what;
}

/// On `any` the kernel's packets begin behind the header that libpcap makes for them (pcap-linux.c,
/// fix_offset): what the filter reads of that header is beside the packet. False for what the kernel does not
/// have.
bool moveOffset(uint32_t *offset, int linkType) {
    const bool newer = linkType == DLT_LINUX_SLL2;
    if (*offset >= uint32_t(SKF_LL_OFF)) return true;
    const uint32_t header = newer ? 20 : 16;
    if (*offset >= header) {
        *offset -= header;
        return true;
    }
    const uint32_t protocol = newer ? 0 : 14;
    if (*offset == protocol)
        *offset = beside(SKF_AD_PROTOCOL);
    else if (newer && *offset == 4)
        *offset = beside(SKF_AD_IFINDEX);
    else if (newer && *offset == 8)
        *offset = beside(SKF_AD_HATYPE);
    else if (*offset == (newer ? 10u : 0u))
        *offset = beside(SKF_AD_PKTTYPE);
    else
        return false;
    return true;
}

}  // namespace

bool attachCaptureFilter(int fd, const bpf_program &program, int linkType) {
    const bool made = linkType == DLT_LINUX_SLL || linkType == DLT_LINUX_SLL2;
    std::vector<sock_filter> code;
    for (const bpf_insn *at = program.bf_insns; at < program.bf_insns + program.bf_len; at++) {
        sock_filter instruction{at->code, at->jt, at->jf, at->k};
        const int mode = BPF_MODE(at->code), of = BPF_CLASS(at->code);
        const bool loads =
            (of == BPF_LD || of == BPF_LDX) && (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH);
        if (made && loads && !moveOffset(&instruction.k, linkType)) return false;
        code.push_back(instruction);
    }
    if (code.size() > BPF_MAXINSNS) return false;
    sock_fprog all{uint16_t(code.size()), code.data()};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) == 0;
}
