/* Quicksort of 8192 random numbers: unpredictable branches, recursion, swaps. */
#include "bench.h"

enum { COUNT = 8192 };

static uint32_t values[COUNT];

static void sort(uint32_t *first, uint32_t *last) {
    while (first < last) {
        uint32_t pivot = first[(last - first) / 2];
        uint32_t *low = first, *high = last;
        while (low <= high) {
            while (*low < pivot) {
                low++;
            }
            while (*high > pivot) {
                high--;
            }
            if (low <= high) {
                uint32_t swapped = *low;
                *low++ = *high;
                *high-- = swapped;
            }
        }
        sort(first, high);
        first = low;
    }
}

uint64_t quicksort(void) {
    uint64_t seed = 2, sum = 0;
    for (int i = 0; i < COUNT; i++) {
        values[i] = next_random(&seed) >> 20;
    }
    sort(values, values + COUNT - 1);
    for (int i = 0; i < COUNT; i++) {
        sum = fold(sum, values[i]);
    }
    return sum;
}
