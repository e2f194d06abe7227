/* SPDX-License-Identifier: Apache-2.0 */
/* frames INTERFACE [TIMES]: sends the frames that come on standard input, each behind its length (u32 of this
 * machine), in their order, so many times. They leave as they are: no stack adds to them or answers them. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char all[1 << 22];

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    size_t size = 0;
    for (ssize_t got; (got = read(0, all + size, sizeof(all) - size)) > 0;) size += (size_t)got;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1])};
    if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (int times = argc > 2 ? atoi(argv[2]) : 1; times > 0; times--)
        for (size_t at = 0; at + 4 <= size;) {
            uint32_t length;
            memcpy(&length, all + at, 4);
            while (send(fd, all + at + 4, length, 0) < 0) {
                if (errno == ENOBUFS) continue;
                perror("send");
                return 1;
            }
            at += 4 + length;
        }
    return 0;
}
