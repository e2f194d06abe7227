/* talks call|serve|both 4|6 PORT COUNT SENT RECEIVED HOW: COUNT connections on loopback, one after the other.
 * The caller sends SENT bytes, the server answers with RECEIVED, the caller closes first, then the server.
 * HOW: close; reset: the caller ends each with a reset. call exits with 3 when nobody listens.
 * both: listens on a free port, and serves in a child of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[65536];
static int family, count;
static long sent, received;
static bool resets;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static socklen_t loopback(struct sockaddr_storage *address, int port) {
    memset(address, 0, sizeof(*address));
    address->ss_family = family;
    if (family == AF_INET) {
        struct sockaddr_in *four = (void *)address;
        four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        four->sin_port = htons(port);
        return sizeof(*four);
    }
    struct sockaddr_in6 *six = (void *)address;
    six->sin6_addr = in6addr_loopback;
    six->sin6_port = htons(port);
    return sizeof(*six);
}

static void send_bytes(int fd, long bytes) {
    while (bytes > 0) {
        ssize_t done = write(fd, buffer, bytes < (long)sizeof(buffer) ? bytes : (long)sizeof(buffer));
        if (done <= 0) fail("write");
        bytes -= done;
    }
}

static void receive_bytes(int fd, long bytes) {
    while (bytes > 0) {
        ssize_t done = read(fd, buffer, bytes < (long)sizeof(buffer) ? bytes : (long)sizeof(buffer));
        if (done <= 0) fail("read");
        bytes -= done;
    }
}

static int listen_on(int *port) {
    struct sockaddr_storage address;
    socklen_t length = loopback(&address, *port);
    int fd = socket(family, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (void *)&address, length) || listen(fd, 64)) fail("listen");
    getsockname(fd, (void *)&address, &length);
    *port = ntohs(((struct sockaddr_in *)&address)->sin_port); /* sin6_port lies there too */
    return fd;
}

static void serve(int listener) {
    for (int i = 0; i < count; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) fail("accept");
        receive_bytes(fd, sent);
        send_bytes(fd, received);
        while (read(fd, buffer, sizeof(buffer)) > 0) {
        }
        close(fd);
    }
}

static void call(int port) {
    struct sockaddr_storage address;
    socklen_t length = loopback(&address, port);
    for (int i = 0; i < count; i++) {
        int fd = socket(family, SOCK_STREAM, 0);
        if (connect(fd, (void *)&address, length)) {
            if (errno == ECONNREFUSED) exit(3);
            fail("connect");
        }
        send_bytes(fd, sent);
        receive_bytes(fd, received);
        struct linger now = {.l_onoff = 1};
        if (resets) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        if (!resets) {
            shutdown(fd, SHUT_WR);
            if (read(fd, buffer, 1) != 0) fail("the server's end");
        }
        close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    family = atoi(argv[2]) == 6 ? AF_INET6 : AF_INET;
    int port = atoi(argv[3]), status = 0;
    count = atoi(argv[4]);
    sent = atol(argv[5]);
    received = atol(argv[6]);
    resets = !strcmp(argv[7], "reset");
    if (!strcmp(argv[1], "call")) {
        call(port);
        return 0;
    }
    int listener = listen_on(&port);
    if (!strcmp(argv[1], "serve")) {
        serve(listener);
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        serve(listener);
        return 0;
    }
    close(listener);
    call(port);
    waitpid(child, &status, 0);
    return status != 0;
}
