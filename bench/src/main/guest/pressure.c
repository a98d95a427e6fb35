/*
 * 48 MiB filled with a pattern, half of it changed by a child that shares it until it writes: page
 * faults, copies on write, and nothing lost.
 */
#include "bench.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 12 << 10, WORDS = PAGE / 8 };

static uint64_t value(uint64_t page, uint64_t word) {
    return (page + 1) * 0x9e3779b97f4a7c15u + word;
}

static uint64_t check(const uint64_t *memory, int changed) {
    uint64_t wrong = 0;
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t expected = value(page, 7) ^ (changed && page % 2);
        wrong += memory[page * WORDS + 7] != expected;
        wrong += memory[page * WORDS + WORDS - 1] != value(page, WORDS - 1);
    }
    return wrong;
}

uint64_t pressure(void) {
    uint64_t *memory = mmap(NULL, (size_t) PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("mmap");
    }
    for (uint64_t page = 0; page < PAGES; page++) {
        memory[page * WORDS + 7] = value(page, 7);
        memory[page * WORDS + WORDS - 1] = value(page, WORDS - 1);
    }
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        for (uint64_t page = 1; page < PAGES; page += 2) {
            memory[page * WORDS + 7] ^= 1;
        }
        _exit(check(memory, 1) != 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        die("fork");
    }
    uint64_t wrong = check(memory, 0) + (status != 0);
    munmap(memory, (size_t) PAGES * PAGE);
    return wrong;
}
