/* Writes to each of 64 fresh pages once and gives them back: page faults. */
#include "bench.h"

#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 64 };

uint64_t touch(void) {
    char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("mmap");
    }
    uint64_t sum = 0;
    for (int page = 0; page < PAGES; page++) {
        sum += memory[page * PAGE]++;
        sum += memory[page * PAGE];
    }
    munmap(memory, PAGES * PAGE);
    return sum;
}
