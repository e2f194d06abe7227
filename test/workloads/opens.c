/* SPDX-License-Identifier: Apache-2.0 */
/* opens TOTAL FAILING FILE MISSING: opens FILE, except FAILING of the TOTAL times MISSING, spread evenly, by
 * open, openat, openat2 and creat in turn (creat only for what is there: it makes what is not). Exits with 1
 * when it went otherwise. Linked statically: it opens nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long open_by(long method, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    switch (method) {
#ifdef SYS_open
        case 0:
            return syscall(SYS_open, path, O_RDONLY);
        case 1:
            return syscall(SYS_creat, path, 0600);
#endif
        case 2:
            return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
        default:
            return syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK, 0);
    }
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long total = atol(argv[1]), failing = atol(argv[2]), opened = 0, failed = 0;
    for (long i = 0; i < total; i++) {
        /* The i-th fails when the number that shall have failed by then grows with it. */
        int fails = (i + 1) * failing / total > i * failing / total;
        long method = i % 4;
        long fd = open_by(fails && method == 1 ? 3 : method, fails ? argv[4] : argv[3]);
        if (fd >= 0) {
            opened++;
            close(fd);
        } else if (errno == ENOENT) {
            failed++;
        }
    }
    return opened == total - failing && failed == failing ? 0 : 1;
}
