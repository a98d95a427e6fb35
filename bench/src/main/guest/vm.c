/* A little stack machine that computes Collatz lengths: an indirect jump for every instruction. */
#include "bench.h"

enum op { PUSH, LOAD, STORE, ADD, MUL, HALVE, IS_ODD, IS_ONE, JUMP_IF, JUMP, HALT };

/* Variables: 0 the number, 1 the length. */
enum { EVEN = 17, ODD = 24, END = 36 };

static const uint8_t code[] = {
    LOAD, 0, IS_ONE, JUMP_IF, END,
    LOAD, 1, PUSH, 1, ADD, STORE, 1,
    LOAD, 0, IS_ODD, JUMP_IF, ODD,
    [EVEN] = LOAD, 0, HALVE, STORE, 0, JUMP, 0,
    [ODD] = LOAD, 0, PUSH, 3, MUL, PUSH, 1, ADD, STORE, 0, JUMP, 0,
    [END] = HALT,
};

static uint64_t execute(uint64_t number) {
    uint64_t variables[2] = {number, 0}, stack[8], *top = stack;
    const uint8_t *at = code;
    for (;;) {
        switch ((enum op) *at++) {
        case PUSH: *top++ = *at++; break;
        case LOAD: *top++ = variables[*at++]; break;
        case STORE: variables[*at++] = *--top; break;
        case ADD: top--; top[-1] += top[0]; break;
        case MUL: top--; top[-1] *= top[0]; break;
        case HALVE: top[-1] >>= 1; break;
        case IS_ODD: top[-1] &= 1; break;
        case IS_ONE: top[-1] = top[-1] == 1; break;
        case JUMP_IF: at = *--top ? code + *at : at + 1; break;
        case JUMP: at = code + *at; break;
        case HALT: return variables[1];
        }
    }
}

uint64_t vm(void) {
    uint64_t sum = 0;
    for (uint64_t number = 1; number <= 100; number++) {
        sum = fold(sum, execute(number));
    }
    return sum;
}
