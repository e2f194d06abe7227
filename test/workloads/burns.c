/* burns SECONDS NAPS [FILE]: uses a CPU for that long, three parts in burn_three to one in burn_one, then
 * sleeps NAPS times 50 ms in nap(). Writes into FILE for how long it had no CPU in its naps, ns, and how
 * often it gave its CPU up in them, as the kernel counts: a nap whose timer fires before the process has left
 * its CPU (it starts the timer first, and the CPU may be taken away just then) waits for nothing. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

/* gcc leaves out the frame of a function that calls nothing, whatever it is told, unless the function asks
 * for it. */
#define KEEP_FRAME() (sink += __builtin_frame_address(0) == 0)

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static long given_up(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

__attribute__((noinline)) void burn_three(void) {
    KEEP_FRAME();
    for (int i = 0; i < 300000; i++) sink += i * 7;
}

__attribute__((noinline)) void burn_one(void) {
    KEEP_FRAME();
    for (int i = 0; i < 100000; i++) sink += i * 7;
}

/* The call is made here and not in libc, which keeps no frame pointers: a walk would miss this function. */
__attribute__((noinline)) void nap(void) {
    KEEP_FRAME();
    struct timespec t = {.tv_nsec = 50 * 1000 * 1000};
    long result;
#if defined(__x86_64__)
    register long fourth __asm__("r10") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_clock_nanosleep), "D"((long)CLOCK_MONOTONIC), "S"(0L), "d"(&t), "r"(fourth)
                     : "rcx", "r11", "memory");
#else
    result = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
#endif
    sink += result;
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) return 2;
    double end = seconds(CLOCK_MONOTONIC) + atof(argv[1]);
    while (seconds(CLOCK_MONOTONIC) < end) {
        burn_three();
        burn_one();
    }
    double off = 0;
    long waits = 0;
    for (int naps = atoi(argv[2]); naps > 0; naps--) {
        double ran = seconds(CLOCK_PROCESS_CPUTIME_ID), start = seconds(CLOCK_MONOTONIC);
        long before = given_up();
        nap();
        waits += given_up() - before;
        off += seconds(CLOCK_MONOTONIC) - start;
        off -= seconds(CLOCK_PROCESS_CPUTIME_ID) - ran;
    }
    if (argc == 3) return 0;
    FILE *file = fopen(argv[3], "w");
    if (!file) return 2;
    fprintf(file, "%.0f %ld\n", off * 1e9, waits);
    return fclose(file) != 0;
}
