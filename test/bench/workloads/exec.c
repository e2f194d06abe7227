// Starts a short command in a loop, one after another, and prints how many and how long it took; without
// arguments it is that command. usage: exec COUNT. Starts when a line comes on stdin.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 2 || argv[1][0] == '-') return 0;
    char *child[] = {argv[0], "--first", "--second=two", "third argument", NULL};
    char *environment[] = {NULL};
    char line[8];
    while (read(0, line, sizeof(line)) > 0) {
        long long start = now();
        int count = atoi(argv[1]);
        for (int i = 0; i < count; i++) {
            pid_t pid;
            if (posix_spawn(&pid, argv[0], NULL, NULL, child, environment) != 0) return 1;
            waitpid(pid, NULL, 0);
        }
        printf("{\"calls\": %d, \"ns\": %lld}\n", count, now() - start);
        fflush(stdout);
    }
    return 0;
}
