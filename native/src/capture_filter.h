// A compiled filter into the kernel; capture_source.cc's.
#pragma once

#include "pcap_library.h"

/// Puts a program that libpcap compiled for the link type on a packet socket. False where the kernel can't
/// run it. Not by pcap_setfilter: after it libpcap runs the filter itself over the first block of the ring,
/// and fails there what only the kernel knows of a packet (`inbound`).
bool attachCaptureFilter(int fd, const bpf_program &program, int linkType);
