// Opens a file that does not exist once in 0.2 ms, its name the time (CLOCK_MONOTONIC, ns): the first one
// that a tracer shows says when it was attached. usage: beacon; ends when stdin ends.
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

int main(void) {
    struct timespec t, pause = {0, 200000};
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char path[64];
    while (poll(&in, 1, 0) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        snprintf(path, sizeof(path), "/beacon-%lld", t.tv_sec * 1000000000LL + t.tv_nsec);
        openat(AT_FDCWD, path, O_RDONLY);
        nanosleep(&pause, NULL);
    }
    return 0;
}
