/* Follows a random chain through 32 MiB, a cache line from each page: TLB misses and little else. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, PAGES = 8192, STEPS = 4096 };

static char *memory;

static uint32_t *cell(uint32_t page) {
    return (uint32_t *) (memory + (size_t) page * PAGE + page % 64 * 64);
}

/* Sattolo's shuffle: one cycle through all pages. */
static void prepare(void) {
    memory = aligned_alloc(PAGE, (size_t) PAGES * PAGE);
    if (memory == NULL) {
        die("aligned_alloc");
    }
    memset(memory, 0, (size_t) PAGES * PAGE);
    uint64_t seed = 5;
    static uint32_t order[PAGES];
    for (uint32_t i = 0; i < PAGES; i++) {
        order[i] = i;
    }
    for (uint32_t i = PAGES - 1; i > 0; i--) {
        uint32_t j = next_random(&seed) % i, swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        *cell(i) = order[i];
    }
}

uint64_t chase(void) {
    if (memory == NULL) {
        prepare();
    }
    uint32_t page = 0;
    for (int step = 0; step < STEPS; step++) {
        page = *cell(page);
    }
    return page;
}
