/* What a benchmark program is, and the few things that several of them need. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

struct program {
    const char *name;
    /* Carries out one iteration, always the same work, and returns a checksum of its results. */
    uint64_t (*run)(void);
};

/* One file each; main.c lists them. */
uint64_t crc(void), sieve(void), quicksort(void), tree(void), mix(void), lz(void), vm(void), sha256(void);
uint64_t nbody(void), matrix(void), longdouble(void);
uint64_t strings(void), chase(void);
uint64_t syscalls(void), signals(void), pingpong(void), forks(void), execs(void), touch(void), maps(void);
uint64_t threads(void), work1(void), work2(void), jit(void), pressure(void);

#ifdef HAVE_LIBCRYPTO
uint64_t aes(void);
/* To be called before aes; may begin the program anew. */
void aes_prepare(char **arguments);
#endif

/* Prints why and ends the program with status 1. */
_Noreturn void die(const char *what);

/* Marsaglia's xorshift64: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* FNV-1a, a step for 64 bits. */
static inline uint64_t fold(uint64_t sum, uint64_t value) {
    return (sum ^ value) * 0x100000001b3u;
}

#endif
