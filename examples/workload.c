// The program that `npm run demo` and the examples' tests trace: a little order service in one process. It
// makes orders as JSON, parses, sorts and hashes them, keeps them in files, runs helpers, talks to itself
// over TCP on loopback, and waits a little. Usage: workload SECONDS
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { orders_at_once = 20000, text_size = 1 << 21 };

struct order {
    uint64_t id, price, checksum;
    char customer[24];
};

static struct order orders[orders_at_once];
static char text[text_size];

// Kept from being inlined: each is to be seen by its name.
#define STEP __attribute__((noinline)) static

static uint64_t seed = 1;
STEP uint64_t random_number(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

STEP char *write_text(char *at, const char *value) {
    while (*value) *at++ = *value++;
    return at;
}

STEP char *write_number(char *at, uint64_t value) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count) *at++ = digits[--count];
    return at;
}

STEP char *write_order(char *at, uint64_t id, uint64_t number) {
    at = write_number(write_text(at, "{\"id\":"), id);
    at = write_number(write_text(at, ",\"price\":"), number % 100000);
    at = write_number(write_text(at, ",\"customer\":\"c"), number >> 40);
    return write_text(at, "\"}\n");
}

STEP void write_json(void) {
    char *at = text;
    for (uint64_t i = 0; i < orders_at_once; i++) at = write_order(at, i, random_number());
    *at = 0;
}

STEP const char *after(const char *at, char sign) {
    while (*at++ != sign) continue;
    return at;
}

STEP const char *parse_number(const char *at, uint64_t *value) {
    for (*value = 0; *at >= '0' && *at <= '9'; at++) *value = *value * 10 + (uint64_t)(*at - '0');
    return at;
}

STEP const char *parse_string(const char *at, char *value, size_t size) {
    size_t length = 0;
    for (; *at && *at != '"'; at++)
        if (length + 1 < size) value[length++] = *at;
    value[length] = 0;
    return at;
}

STEP const char *parse_order(const char *at, struct order *order) {
    at = parse_number(after(at, ':'), &order->id);
    at = parse_number(after(at, ':'), &order->price);
    at = parse_string(after(at, ':') + 1, order->customer, sizeof order->customer);
    return after(at, '\n');
}

STEP void parse_json(void) {
    const char *at = text;
    for (int i = 0; i < orders_at_once; i++) at = parse_order(at, &orders[i]);
}

STEP int compare_prices(const struct order *left, const struct order *right) {
    return left->price < right->price ? -1 : left->price > right->price;
}

STEP void swap_orders(struct order *left, struct order *right) {
    struct order order = *left;
    *left = *right;
    *right = order;
}

STEP void sift_down(int parent, int count) {
    for (int child; (child = 2 * parent + 1) < count; parent = child) {
        if (child + 1 < count && compare_prices(&orders[child], &orders[child + 1]) < 0) child++;
        if (compare_prices(&orders[parent], &orders[child]) >= 0) return;
        swap_orders(&orders[parent], &orders[child]);
    }
}

STEP void make_heap(void) {
    for (int i = orders_at_once / 2; i-- > 0;) sift_down(i, orders_at_once);
}

STEP void take_heap_apart(void) {
    for (int count = orders_at_once; count-- > 1;) {
        swap_orders(&orders[0], &orders[count]);
        sift_down(0, count);
    }
}

// Our own sorting, because libc's keeps no frame pointers and would hide who called it; without recursion,
// so that the flame graph stays low.
STEP void sort_orders(void) {
    make_heap();
    take_heap_apart();
}

STEP uint64_t hash_order(const struct order *order, int rounds) {
    uint64_t hash = 14695981039346656037u;
    for (int round = 0; round < rounds; round++)
        for (const char *c = order->customer; *c; c++)
            hash = (hash ^ (uint64_t)*c ^ order->price) * 1099511628211u;
    return hash;
}

STEP void hash_orders(void) {
    for (int i = 0; i < orders_at_once; i++) orders[i].checksum = hash_order(&orders[i], 10);
}

STEP void store_orders(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, "%s/orders.json", folder);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (file >= 0) {
        if (write(file, text, 4096) < 0) perror("orders.json");
        close(file);
    }
    snprintf(path, sizeof path, "%s/discounts.json", folder);
    file = open(path, O_RDONLY);  // there are none: an open that fails
    if (file >= 0) close(file);
}

STEP void run_helper(void) {
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/echo", "echo", "--token=not-a-secret", "invoice sent", (char *)NULL);
        _exit(127);
    }
    if (child > 0) waitpid(child, NULL, 0);
}

STEP void talk_to_itself(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
        connect(client, (struct sockaddr *)&address, length) == 0) {
        int server = accept(listener, NULL, NULL);
        char buffer[4096];
        if (write(client, text, sizeof buffer) < 0 || read(server, buffer, sizeof buffer) < 0) perror("tcp");
        close(server);
    }
    close(client);
    close(listener);
}

STEP void sleep_milliseconds(long count) {
    nanosleep(&(struct timespec){.tv_nsec = count * 1000000}, NULL);
}

// libc keeps no frame pointer, so that a stack lacks the caller of its nanosleep: this is the caller's
// caller, and is seen.
STEP void wait_for_orders(void) {
    sleep_milliseconds(3);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    double end = now() + (argc > 1 ? atof(argv[1]) : 10);
    char folder[] = "/tmp/sonde-workload-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    // The helpers' own words are of no use to anyone.
    int nothing = open("/dev/null", O_WRONLY);
    if (nothing >= 0) dup2(nothing, STDOUT_FILENO);
    for (int round = 0; now() < end; round++) {
        write_json();
        parse_json();
        sort_orders();
        hash_orders();
        store_orders(folder);
        if (round % 4 == 0) run_helper();
        if (round % 2 == 0) talk_to_itself();
        wait_for_orders();
    }
    char path[256];
    snprintf(path, sizeof path, "%s/orders.json", folder);
    unlink(path);
    return rmdir(folder);
}
