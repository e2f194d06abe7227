// One packet socket in one network namespace, by libpcap: TPACKET_V3's ring, the filter in the kernel as
// classic BPF. capture_thread.h reads many of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pcap_library.h"

struct CaptureOptions {
    /// The file of the namespace (/proc/PID/ns/net), as tcpdump names the interface, its filter language.
    std::string netns, device, filter;
    /// Of the namespace's file: the process may be another one by now.
    uint64_t inode;
    int snapLength;
    int bufferBytes;
    /// What its rows carry: whose they are.
    uint64_t container;
};

/// Packets reach the reader this much after their time at the latest (ms): a ring's block is given out when
/// it is full or that old.
constexpr int captureBlockMs = 100;

class CaptureSource {
  public:
    /// Throws NotFound (namespace, interface), InvalidArgument (the filter, in libpcap's words),
    /// PermissionDenied, NotSupported.
    explicit CaptureSource(const CaptureOptions &options);
    ~CaptureSource();
    CaptureSource(const CaptureSource &) = delete;

    int fd() const { return fd_; }
    int linkType() const { return linkType_; }
    /// When its filter was in place (CLOCK_REALTIME, ns): what its ring has from before did not pass one.
    uint64_t since() const { return since_; }
    const CaptureOptions &options() const { return options_; }
    /// Hands the packets that are there to `each`; false when the interface is no more, with why in `error`.
    bool read(pcap_handler each, uint8_t *context, std::string *error);
    /// Packets that the ring had no room for, so far.
    uint64_t dropped();

  private:
    CaptureOptions options_;
    const PcapLibrary &pcap_;
    pcap_t *handle_ = nullptr;
    int fd_ = -1, linkType_ = 0;
    uint64_t dropped_ = 0, since_ = 0;
};

/// Compiles a filter for a link type, and forgets it. Throws InvalidArgument.
void checkCaptureFilter(const std::string &filter, int linkType, int snapLength);
