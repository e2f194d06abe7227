/* SPDX-License-Identifier: Apache-2.0 */
/* calls THREADS GETPPID FAILING SLEEPS SLEEP_US SIGNALS: each of THREADS threads calls getppid GETPPID times,
 * writes to a descriptor that is not open FAILING times (EBADF), sleeps SLEEPS times for SLEEP_US
 * microseconds with clock_nanosleep; the first thread also sends itself SIGUSR1 SIGNALS times, each of which
 * ends in an rt_sigreturn. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long getppids, failing, sleeps, sleep_us;

static void *work(void *unused) {
    for (long i = 0; i < getppids; i++) syscall(SYS_getppid);
    for (long i = 0; i < failing; i++) syscall(SYS_write, 999, "", 1);
    struct timespec time = {sleep_us / 1000000, sleep_us % 1000000 * 1000};
    for (long i = 0; i < sleeps; i++) syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
    return unused;
}

static void on_signal(int number) {
    (void)number;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    long threads = atol(argv[1]), signals = atol(argv[6]);
    getppids = atol(argv[2]);
    failing = atol(argv[3]);
    sleeps = atol(argv[4]);
    sleep_us = atol(argv[5]);
    pthread_t started[64];
    if (threads < 1 || threads > 64) return 2;
    for (long i = 1; i < threads; i++) pthread_create(&started[i], NULL, work, NULL);
    work(NULL);
    signal(SIGUSR1, on_signal);
    for (long i = 0; i < signals; i++) raise(SIGUSR1);
    for (long i = 1; i < threads; i++) pthread_join(started[i], NULL);
    return 0;
}
