/*
 * programs NAME MILLISECONDS: repeats a program for at least that long and prints
 *     NAME ITERATIONS NANOSECONDS CHECKSUM
 * so that one binary serves hosts and guests of any speed. Without arguments: lists the names.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct program programs[] = {
    {"crc", crc},           {"sieve", sieve},       {"quicksort", quicksort}, {"tree", tree},
    {"mix", mix},           {"lz", lz},             {"vm", vm},
    {"nbody", nbody},       {"matrix", matrix},     {"longdouble", longdouble},
    {"strings", strings},
#ifdef HAVE_LIBCRYPTO
    {"aes", aes},
#endif
    {"syscall", syscalls},  {"pingpong", pingpong}, {"fork", forks},          {"exec", execs},
    {"touch", touch},       {"mmap", maps},         {"sha256", sha256},       {"chase", chase},
    {"signal", signals},    {"threads", threads},   {"work1", work1},         {"work2", work2},
    {"jit", jit},           {"pressure", pressure},
};

enum { COUNT = sizeof programs / sizeof programs[0] };

void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static int measure(const struct program *program, uint64_t minimum) {
    /* The first iteration sets up what the others reuse and is not measured. */
    uint64_t checksum = program->run();
    uint64_t iterations = 1;
    for (;;) {
        uint64_t start = now();
        for (uint64_t i = 0; i < iterations; i++) {
            if (program->run() != checksum) {
                fprintf(stderr, "%s: an iteration gave another result\n", program->name);
                return 1;
            }
        }
        uint64_t elapsed = now() - start;
        if (elapsed >= minimum) {
            printf("%s %llu %llu %016llx\n", program->name, (unsigned long long) iterations,
                   (unsigned long long) elapsed, (unsigned long long) checksum);
            return fflush(stdout) == 0 ? 0 : 1;
        }
        /* A little more than what should do; ten times as many where the clock saw next to nothing. */
        uint64_t enough = elapsed > 0 ? minimum * iterations / elapsed * 9 / 8 + 1 : UINT64_MAX;
        iterations = enough < 10 * iterations ? enough : 10 * iterations;
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "exit") == 0) {
        return 0; /* what "exec" executes */
    }
#ifdef HAVE_LIBCRYPTO
    if (argc == 3 && strcmp(argv[1], "aes") == 0) {
        aes_prepare(argv);
    }
#endif
    for (int i = 0; i < COUNT; i++) {
        if (argc == 1) {
            puts(programs[i].name);
        } else if (argc == 3 && strcmp(argv[1], programs[i].name) == 0) {
            return measure(&programs[i], strtoull(argv[2], NULL, 10) * 1000000);
        }
    }
    return argc == 1 ? 0 : 2;
}
