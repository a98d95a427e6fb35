/* A row of the Mandelbrot set in 80-bit arithmetic: the x87 unit. */
#include "bench.h"

#include <string.h>

enum { POINTS = 64, LIMIT = 100 };

uint64_t longdouble(void) {
    uint64_t sum = 0;
    for (int point = 0; point < POINTS; point++) {
        long double cr = -2.0L + 3.0L * point / POINTS, ci = 0.2L, r = 0, i = 0;
        int steps = 0;
        while (steps < LIMIT && r * r + i * i <= 4.0L) {
            long double next = r * r - i * i + cr;
            i = 2.0L * r * i + ci;
            r = next;
            steps++;
        }
        uint64_t mantissa;
        memcpy(&mantissa, &r, sizeof mantissa);
        sum = fold(fold(sum, steps), mantissa);
    }
    return sum;
}
