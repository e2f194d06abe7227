/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* packet-capture: no program of its own. Packet sockets (agent/packets.ts) see what passes, through a filter
 * that libpcap compiled; here is what every session has, to follow its scope and count what it costs. */
#include "events.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
