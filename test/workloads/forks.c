/* SPDX-License-Identifier: Apache-2.0 */
/* forks TOTAL LABEL: starts itself TOTAL times, one after the other, as `forks child I LABEL`, and waits for
 * each. Child I exits with I % 5, except each tenth, which kills itself with SIGTERM. Before each hundredth
 * it tries to exec a file that is not there. Exits with 1 when one of these went otherwise. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    if (strcmp(argv[1], "child") == 0) {
        long i = atol(argv[2]);
        if (i % 10 == 9) kill(getpid(), SIGTERM);
        return i % 5;
    }
    long total = atol(argv[1]);
    volatile long started = 0, missing = 0; /* vfork */
    for (volatile long i = 0; i < total; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%ld", i);
        char *child[] = {argv[0], "child", number, argv[2], NULL};
        if (i % 100 == 0) {
            execve("/nowhere/to be found", child, environ);
            if (errno == ENOENT) missing++;
        }
        pid_t pid = vfork();
        if (pid == 0) {
            execve("/proc/self/exe", child, environ);
            _exit(127);
        }
        if (pid > 0 && waitpid(pid, NULL, 0) == pid) started++;
    }
    return started == total && missing == (total + 99) / 100 ? 0 : 1;
}
