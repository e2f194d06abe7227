// Two processes on one CPU that wake each other through pipes: every byte is two context switches. Each puts
// itself into its cgroup. usage: ping-pong ROUNDS CPU CGROUP CGROUP. Starts when a line comes on stdin.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void enter(const char *cgroup) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, "0", 1) != 1) {
        perror(path);
        exit(1);
    }
    close(fd);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    long long rounds = atoll(argv[1]);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(argv[2]), &set);
    sched_setaffinity(0, sizeof(set), &set);
    int there[2], back[2];
    if (pipe(there) != 0 || pipe(back) != 0) return 1;
    char byte = 0, line[8];
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        enter(argv[4]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
        }
        return 0;
    }
    enter(argv[3]);
    while (read(0, line, sizeof(line)) > 0) {
        long long start = now();
        for (long long i = 0; i < rounds; i++) {
            if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) return 1;
        }
        // Two switches a round.
        printf("{\"calls\": %lld, \"ns\": %lld}\n", rounds * 2, now() - start);
        fflush(stdout);
    }
    return 0;
}
