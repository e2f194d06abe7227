/* queues HOGS SECONDS SLEEPS FILE: threads on CPU 0 that wait for it: HOGS that use it for SECONDS, and then
 * one that sleeps SLEEPS times 1 ms. Writes into FILE what the kernel says of all its threads: the time they
 * waited for a CPU, ns, and how often they got one. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long waited, turns;
static double end;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Adds the calling thread's numbers; the last that it does. */
static void add(void) {
    char path[64];
    unsigned long long ran, delay, count;
    snprintf(path, sizeof(path), "/proc/self/task/%ld/schedstat", syscall(SYS_gettid));
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%llu %llu %llu", &ran, &delay, &count) != 3) exit(3);
    fclose(file);
    pthread_mutex_lock(&adding);
    waited += delay;
    turns += count;
    pthread_mutex_unlock(&adding);
}

static void *hog(void *unused) {
    while (seconds() < end) {
    }
    add();
    return unused;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int hogs = atoi(argv[1]);
    pthread_t threads[64];
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (hogs > 64 || sched_setaffinity(0, sizeof(first), &first)) return 2;
    end = seconds() + atof(argv[2]);
    for (int i = 0; i < hogs; i++)
        if (pthread_create(&threads[i], NULL, hog, NULL)) return 2;
    for (int i = 0; i < hogs; i++) pthread_join(threads[i], NULL);
    struct timespec nap = {.tv_nsec = 1000 * 1000};
    for (int i = atoi(argv[3]); i > 0; i--) nanosleep(&nap, NULL);
    FILE *file = fopen(argv[4], "w");
    if (!file) return 2;
    add();
    fprintf(file, "%llu %llu\n", waited, turns);
    return fclose(file) != 0;
}
