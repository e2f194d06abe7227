/* SPDX-License-Identifier: Apache-2.0 */
/* resolves 4|6 PORT COUNT [BATCH]: asks a DNS server on loopback COUNT times for the address of
 * qN.example.test, N from 0 on, each when the one before is answered or 50 ms have gone; with BATCH so many
 * at a time, and 1 ms. PORT 0: a server of its own, in a child. resolves serve 4|6 PORT: is the server, until
 * it is asked for "end". The server answers with 10.1.2.3; where N is 3 of 4 that there is no such name;
 * where N is 99 of 100 not at all. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int family;

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

static void serve(int server) {
    unsigned char message[512];
    struct sockaddr_storage from;
    for (;;) {
        socklen_t length = sizeof(from);
        long size = recvfrom(server, message, 400, 0, (void *)&from, &length);
        if (size < 13) return;
        if (!memcmp(message + 13, "end", 3)) return;
        long n = atol((char *)message + 14); /* behind the label's length and q */
        if (n % 100 == 99) continue;
        message[2] |= 0x80;
        if (n % 4 == 3) {
            message[3] = 3;
        } else {
            static const unsigned char answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3};
            message[3] = 0;
            message[7] = 1;
            memcpy(message + size, answer, sizeof(answer));
            size += sizeof(answer);
        }
        sendto(server, message, size, 0, (void *)&from, length);
    }
}

static long question(unsigned char *message, const char *label, int number) {
    memset(message, 0, 12);
    message[0] = number >> 8, message[1] = number;
    message[2] = 1, message[5] = 1;
    unsigned char *at = message + 12;
    const char *labels[] = {label, "example", "test"};
    for (int i = 0; i < 3; i++) {
        *at++ = strlen(labels[i]);
        memcpy(at, labels[i], strlen(labels[i]));
        at += strlen(labels[i]);
    }
    memcpy(at, "\0\0\1\0\1", 5);
    return at + 5 - message;
}

int main(int argc, char **argv) {
    struct sockaddr_storage address;
    socklen_t length;
    if (argc != 4 && argc != 5) return 2;
    bool only_serve = !strcmp(argv[1], "serve");
    family = argv[only_serve ? 2 : 1][0] == '6' ? AF_INET6 : AF_INET;
    int port = atoi(argv[only_serve ? 3 : 2]), server = socket(family, SOCK_DGRAM, 0);
    pid_t child = 0;
    if (only_serve || !port) {
        length = loopback(&address, port);
        if (bind(server, (void *)&address, length)) return 1;
        if (only_serve) return serve(server), 0;
        getsockname(server, (void *)&address, &length);
        child = fork();
        if (child == 0) return serve(server), 0;
    } else {
        length = loopback(&address, port);
    }
    int client = socket(family, SOCK_DGRAM, 0);
    long batch = argc == 5 ? atol(argv[4]) : 1;
    struct timeval patience = {.tv_usec = batch > 1 ? 1000 : 50000};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    connect(client, (void *)&address, length);
    unsigned char message[512];
    char label[64];
    for (long i = 0, count = atol(argv[3]); i < count;) {
        long sent = 0;
        for (; sent < batch && i < count; sent++, i++) {
            snprintf(label, sizeof(label), "q%ld", i);
            send(client, message, question(message, label, i & 0xffff), 0);
        }
        while (sent--)
            if (recv(client, message, sizeof(message), 0) < 0) break;
    }
    if (child) {
        send(client, message, question(message, "end", 0), 0);
        waitpid(child, NULL, 0);
    }
    return 0;
}
