/* reads COUNT: reads one byte of /dev/zero so many times. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    int file = open("/dev/zero", O_RDONLY);
    char byte;
    if (file < 0) return 1;
    for (long i = 0; i < count; i++)
        if (read(file, &byte, 1) != 1) return 1;
    return 0;
}
