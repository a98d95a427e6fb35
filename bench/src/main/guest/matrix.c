/* A product of 64 x 64 matrices in single precision, row by row: what compilers turn into packed SSE. */
#include "bench.h"

#include <string.h>

enum { SIDE = 64 };

static float a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

uint64_t matrix(void) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = (float) (i + 1) / (j + 3);
            b[i][j] = (float) (j - i) / 7;
            c[i][j] = 0;
        }
    }
    for (int i = 0; i < SIDE; i++) {
        for (int k = 0; k < SIDE; k++) {
            float factor = a[i][k];
            for (int j = 0; j < SIDE; j++) {
                c[i][j] += factor * b[k][j];
            }
        }
    }
    uint64_t sum = 0;
    uint32_t bits;
    for (int i = 0; i < SIDE; i++) {
        memcpy(&bits, &c[i][i ^ 5], sizeof bits);
        sum = fold(sum, bits);
    }
    return sum;
}
