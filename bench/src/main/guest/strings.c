/* memcpy, memset, memchr, strlen, strcmp of the C library, short and long. */
#include "bench.h"

#include <string.h>

enum { SIZE = 16 << 10 };

static char from[SIZE + 64], to[SIZE + 64];

/* Keeps the compiler from doing the library's work itself. */
#define HIDDEN(pointer) __extension__({ void *p_ = (pointer); __asm__ volatile("" : "+r"(p_) : : "memory"); p_; })

uint64_t strings(void) {
    uint64_t sum = 0;
    memset(HIDDEN(from), 'x', SIZE);
    from[SIZE - 1] = 0;
    memcpy(HIDDEN(to + 5), from, SIZE);
    sum = fold(sum, strlen(HIDDEN(to + 5)));
    to[SIZE / 2] = 'y';
    sum = fold(sum, (char *) memchr(HIDDEN(to + 5), 'y', SIZE) - to);
    sum = fold(sum, strcmp(HIDDEN(from), HIDDEN(to + 5)) < 0);
    for (int i = 0; i < 200; i++) {
        int length = i % 61 + 1;
        memcpy(HIDDEN(to + i), HIDDEN(from + i), length);
        to[i + length] = 0;
        sum = fold(sum, strlen(HIDDEN(to + i)));
    }
    return sum;
}
