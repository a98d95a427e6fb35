/* The sieve of Eratosthenes up to 2^17: strided byte stores. */
#include "bench.h"

#include <string.h>

enum { LIMIT = 1 << 17 };

static uint8_t composite[LIMIT];

uint64_t sieve(void) {
    memset(composite, 0, sizeof composite);
    uint64_t primes = 0;
    for (int n = 2; n < LIMIT; n++) {
        if (!composite[n]) {
            primes++;
            for (int64_t m = (int64_t) n * n; m < LIMIT; m += n) {
                composite[m] = 1;
            }
        }
    }
    return primes;
}
