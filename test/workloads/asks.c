/* SPDX-License-Identifier: Apache-2.0 */
/* asks WHAT COUNT [FOLDER]: makes known calls, so many rounds of them, in that folder. What each round does
 * is said at its function.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* newfstatat of / (there) and of /no/such/file (missing), statx of the same missing one. */
static void stats(void) {
    struct stat found;
    struct statx other;
    syscall(SYS_newfstatat, AT_FDCWD, "/", &found, 0);
    syscall(SYS_newfstatat, AT_FDCWD, "/no/such/file", &found, 0);
    syscall(SYS_statx, AT_FDCWD, "/no/such/file", 0, 0, &other);
}

/* fsync and fdatasync of a memfd called "ledger", one fsync of no file. */
static void syncs(void) {
    int file = memfd_create("ledger", 0);
    fsync(file);
    fdatasync(file);
    fsync(-1);
    close(file);
}

/* mount of tmpfs onto a folder that is not there; umount2 of the same. */
static void mounts(void) {
    mount("nothing", "/no/such/folder", "tmpfs", MS_NOEXEC, NULL);
    umount2("/no/such/folder", MNT_DETACH);
}

/* bind of a TCP socket to 127.0.0.1 with a port of the kernel's choice, listen with a backlog of 7; a second
 * bind to the same, which fails; bind of a UDP socket to ::1. */
static void sockets(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof(here);
    int tcp = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
    int udp = socket(AF_INET6, SOCK_DGRAM, 0);
    bind(tcp, (struct sockaddr *)&here, sizeof(here));
    listen(tcp, 7);
    getsockname(tcp, (struct sockaddr *)&here, &length);
    bind(other, (struct sockaddr *)&here, sizeof(here));
    bind(udp, (struct sockaddr *)&six, sizeof(six));
    printf("%d\n", ntohs(here.sin_port));
    close(tcp), close(other), close(udp);
}

/* A private segment of 12,345 bytes: made, attached, detached, removed; a memfd called "ledger". */
static void shared(void) {
    int segment = shmget(IPC_PRIVATE, 12345, IPC_CREAT | 0600);
    void *memory = shmat(segment, NULL, 0);
    shmdt(memory);
    shmctl(segment, IPC_RMID, NULL);
    close(memfd_create("ledger", 0));
}

/* setuid to itself, unshare of nothing, ptrace of a process that is not there, bpf with an unknown command,
 * keyctl. */
static void privileges(void) {
    syscall(SYS_setuid, getuid());
    unshare(0);
    ptrace(PTRACE_ATTACH, 0x3fffffff, NULL, NULL);
    syscall(SYS_bpf, 5, NULL, 0);
    syscall(SYS_keyctl, 0, -3, 0);
}

/* SIGUSR1 to itself, which is ignored, and SIGTERM to a child, which dies of it. */
static void signals(void) {
    signal(SIGUSR1, SIG_IGN);
    kill(getpid(), SIGUSR1);
    pid_t child = fork();
    if (child == 0)
        for (;;) pause();
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

/* Children: one exits with 0, one with 3, one dies of SIGKILL. */
static void exits(void) {
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (i == 2) kill(getpid(), SIGKILL);
            _exit(i == 1 ? 3 : 0);
        }
        waitpid(child, NULL, 0);
    }
}

static void *nothing(void *unused) {
    return unused;
}

/* Two threads and a child. */
static void threads(void) {
    pthread_t thread;
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
    }
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
}

/* Looks that need CAP_SYS_CHROOT: one that is granted, and one, by a child that has given it up, that is
 * denied. */
static volatile long sink;

static __attribute__((noinline)) void capability(void) {
    sink = syscall(SYS_chroot, "/");
}

static void capabilities(void) {
    capability();
    pid_t child = fork();
    if (child == 0) {
        syscall(SYS_setresuid, 65534, 65534, 65534);
        capability();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* Four connects to a listener that accepts nothing and has room for one: the last of them send their SYN
 * again after a second. */
static void syns(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(here);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof(here));
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&here, &length);
    for (int i = 0; i < 4; i++)
        connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&here, sizeof(here));
    usleep(1500000);
}

/* Writes 64 KiB of a file here past the page cache and reads it back in four parts, on a file system that
 * can; the file is removed. Ends with 3 where it can't. */
static __attribute__((noinline)) void disks(void) {
    char name[] = "asks-XXXXXX";
    void *page = aligned_alloc(4096, 65536);
    memset(page, 7, 65536);
    close(mkstemp(name));
    int file = open(name, O_RDWR | O_DIRECT);
    unlink(name);
    if (file < 0 || pwrite(file, page, 65536, 0) != 65536) exit(3);
    for (int i = 0; i < 4; i++)
        if (pread(file, page, 16384, i * 16384) != 16384) exit(3);
    close(file);
    free(page);
}

/* Writes 4,000 bytes of a memfd called "ledger" at once and reads them back in four parts; a fifth read finds
 * its end. */
static void files(void) {
    static char bytes[4000];
    int file = memfd_create("ledger", 0);
    sink = pwrite(file, bytes, 4000, 0);
    for (int i = 0; i < 5; i++) sink = pread(file, bytes, 1000, i * 1000);
    close(file);
}

/* Writes to each of 100 fresh pages. */
static __attribute__((noinline)) void touch(volatile char *memory) {
    sink += __builtin_frame_address(0) == 0; /* keeps the frame */
    for (int i = 0; i < 100; i++) memory[i * 4096] = 1;
}

static void pages(void) {
    char *memory = mmap(NULL, 409600, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, 409600, MADV_NOHUGEPAGE);
    touch(memory);
    munmap(memory, 409600);
}

static const struct {
    const char *name;
    void (*run)(void);
} asks[] = {
    {"stats", stats},
    {"syncs", syncs},
    {"syns", syns},
    {"files", files},
    {"pages", pages},
    {"disks", disks},
    {"mounts", mounts},
    {"sockets", sockets},
    {"shared", shared},
    {"signals", signals},
    {"exits", exits},
    {"threads", threads},
    {"privileges", privileges},
    {"capabilities", capabilities},
};

int main(int argc, char **argv) {
    if (argc != 3 && (argc != 4 || chdir(argv[3]))) return 2;
    for (unsigned i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        if (strcmp(asks[i].name, argv[1]) != 0) continue;
        for (long round = atol(argv[2]); round > 0; round--) asks[i].run();
        return 0;
    }
    return 2;
}
