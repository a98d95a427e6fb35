/* Maps, protects and unmaps memory that nobody touches, 10 times: the kernel's bookkeeping. */
#include "bench.h"

#include <sys/mman.h>

enum { SIZE = 64 << 10 };

uint64_t maps(void) {
    for (int i = 0; i < 10; i++) {
        void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, SIZE / 2, PROT_READ) != 0 || munmap(memory, SIZE) != 0) {
            die("mmap");
        }
    }
    return 1;
}
