// libpcap's functions, as far as they are used. The library is opened when packets are first asked for:
// Debian's archive of it is not position independent, and an agent that captures nothing needs none of it.
#pragma once

#include <pcap/pcap.h>

#define PCAP_FUNCTIONS(each)                                                                               \
    each(activate) each(close) each(compile) each(create) each(datalink) each(dispatch) each(fileno)       \
        each(freecode) each(geterr) each(get_selectable_fd) each(lookupnet) each(open_dead)                \
            each(set_buffer_size) each(set_datalink) each(set_promisc) each(set_snaplen) each(set_timeout) \
                each(set_tstamp_precision) each(setfilter) each(setnonblock) each(stats) each(statustostr)

struct PcapLibrary {
#define PCAP_MEMBER(name) decltype(&::pcap_##name) name;
    PCAP_FUNCTIONS(PCAP_MEMBER)
#undef PCAP_MEMBER
};

/// Throws NotSupported where it is not installed.
const PcapLibrary &pcapLibrary();
