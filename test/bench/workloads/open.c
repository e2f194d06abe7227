// Opens and closes one file in a loop, as fast as one core can, and prints how many times and how long it
// took. usage: open FILE CALLS MILLISECONDS [CPU]: ends after CALLS (0: never) or MILLISECONDS (0: never).
// Starts when a line comes on stdin.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    long long calls = atoll(argv[2]), limit = atoll(argv[3]) * 1000000;
    if (argc > 4) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(atoi(argv[4]), &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    char line[8];
    while (read(0, line, sizeof(line)) > 0) {
        long long start = now(), done = 0;
        while (calls == 0 || done < calls) {
            // The clock is read once in 256 calls, so that it does not count.
            if ((done & 255) == 0 && limit != 0 && now() - start > limit) break;
            int fd = openat(AT_FDCWD, argv[1], O_RDONLY);
            if (fd < 0) return 1;
            close(fd);
            done++;
        }
        printf("{\"calls\": %lld, \"ns\": %lld}\n", done, now() - start);
        fflush(stdout);
    }
    return 0;
}
