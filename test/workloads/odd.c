/* SPDX-License-Identifier: Apache-2.0 */
/* odd COMMAND …: what a hostile process does.
 *   odd open COUNT COMM PATH   opens PATH (bytes as they come) COUNT times under the process name COMM
 *   odd run COMM FILE ARGS…    execs FILE with ARGS as they come
 *   odd big BYTES              execs itself with one argument of so many bytes
 *   odd thread-exec            execs itself from a thread that is not the first
 *   odd uring COUNT PATH       opens PATH by io_uring; exits 3 where there is none
 *   odd wait MS                closes its output, so that a reader knows it has begun; ends after so many
 * milliseconds odd nothing …              exits 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void *exec_nothing(void *name) {
    char *argv[] = {name, "nothing", "by a thread", NULL};
    execve("/proc/self/exe", argv, environ);
    return NULL;
}

static int open_by_uring(long count, const char *path) {
    struct io_uring_params params = {0};
    int ring = syscall(SYS_io_uring_setup, 4, &params);
    if (ring < 0) return 3;
    size_t size = params.sq_off.array + params.sq_entries * 4;
    char *sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *sqe = mmap(NULL, params.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
                                    MAP_SHARED, ring, IORING_OFF_SQES);
    char *cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
                    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    if (sq == MAP_FAILED || (void *)sqe == MAP_FAILED || cq == MAP_FAILED) return 3;
    for (long i = 0; i < count; i++) {
        unsigned *tail = (unsigned *)(sq + params.sq_off.tail);
        memset(sqe, 0, sizeof(*sqe));
        sqe->opcode = IORING_OP_OPENAT;
        sqe->fd = AT_FDCWD;
        sqe->addr = (unsigned long)path;
        sqe->open_flags = O_RDONLY;
        ((unsigned *)(sq + params.sq_off.array))[*tail & (params.sq_entries - 1)] = 0;
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return 3;
        unsigned *head = (unsigned *)(cq + params.cq_off.head);
        struct io_uring_cqe *cqe = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
        int fd = cqe[*head & (params.cq_entries - 1)].res;
        __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
        if (fd >= 0) close(fd);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    if (strcmp(argv[1], "open") == 0 && argc == 5) {
        prctl(PR_SET_NAME, argv[3]);
        for (long i = atol(argv[2]); i > 0; i--) {
            int fd = syscall(SYS_openat, AT_FDCWD, argv[4], O_RDONLY);
            if (fd >= 0) close(fd);
        }
    }
    if (strcmp(argv[1], "run") == 0 && argc > 4) {
        prctl(PR_SET_NAME, argv[2]);
        execve(argv[3], argv + 4, environ);
        return 127;
    }
    if (strcmp(argv[1], "big") == 0 && argc == 3) {
        long bytes = atol(argv[2]);
        char *big = calloc(1, bytes + 1);
        memset(big, 'a', bytes);
        char *next[] = {argv[0], "nothing", big, "last", NULL};
        execve("/proc/self/exe", next, environ);
        return 127;
    }
    if (strcmp(argv[1], "thread-exec") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, exec_nothing, argv[0]);
        pthread_join(thread, NULL);
        return 127;
    }
    if (strcmp(argv[1], "wait") == 0 && argc == 3) {
        close(1);
        usleep(atol(argv[2]) * 1000);
    }
    if (strcmp(argv[1], "uring") == 0 && argc == 4) return open_by_uring(atol(argv[2]), argv[3]);
    return 0;
}
