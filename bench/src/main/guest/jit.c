/*
 * Code made at run time: small functions are written, called, changed and called again, with a
 * counter that is data on their own page. What just-in-time compilers do to a processor.
 */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>

enum { SIZE = 8192, SLOT = 64, FUNCTIONS = 60, ROUNDS = 20, COUNTER = 4096 - 64 };

typedef uint32_t function(uint32_t);

static uint8_t *code;

/* MOV EAX, EDI; IMUL EAX, EAX, factor; ADD EAX, term; INC dword [counter]; RET */
static void write_function(uint8_t *at, uint32_t factor, uint32_t term) {
    uint32_t to_counter = code + COUNTER - (at + 19);
    uint8_t bytes[] = {0x89, 0xf8, 0x69, 0xc0, 0, 0, 0, 0, 0x05, 0, 0, 0, 0, 0xff, 0x05, 0, 0, 0, 0, 0xc3};
    memcpy(bytes + 4, &factor, 4);
    memcpy(bytes + 9, &term, 4);
    memcpy(bytes + 15, &to_counter, 4);
    memcpy(at, bytes, sizeof bytes);
}

static uint32_t call(uint8_t *at, uint32_t value) {
    function *made;
    memcpy(&made, &at, sizeof made);
    return made(value);
}

uint64_t jit(void) {
    if (code == NULL) {
        code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (code == MAP_FAILED) {
            die("mmap");
        }
    }
    uint64_t sum = 0;
    memset(code, 0xcc, SIZE);
    memset(code + COUNTER, 0, 4);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < FUNCTIONS; i++) {
            /* Every eighth lies across the border of the two pages. */
            uint8_t *at = i % 8 == 7 ? code + 4096 - i % 19 : code + i * SLOT;
            if (round % 4 == 0 || i % 8 == 7) {
                write_function(at, round + 3, i);
            } else {
                memcpy(at + 9, &round, 4);
            }
            sum = fold(sum, call(at, i));
        }
        for (uint32_t i = 0; i < FUNCTIONS; i++) {
            sum = fold(sum, i % 8 == 7 ? 0 : call(code + i * SLOT, (uint32_t) sum));
        }
    }
    uint32_t counter;
    memcpy(&counter, code + COUNTER, 4);
    return fold(sum, counter);
}
