/*
 * The same two shares of computing, by one thread and by two: how much two processors help. A share
 * takes some milliseconds, so that making the thread does not count.
 */
#include "bench.h"

#include <pthread.h>

enum { ROUNDS = 400, SIZE = 4096 };

static uint64_t memory[2][SIZE];

static void *share(void *number) {
    uint64_t *words = memory[(uintptr_t) number];
    uint64_t state = (uintptr_t) number + 1, sum = 0;
    for (int i = 0; i < SIZE; i++) {
        words[i] = next_random(&state);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SIZE; i++) {
            sum = fold(sum, words[(words[i] + sum) % SIZE]);
        }
    }
    words[0] = sum;
    return NULL;
}

static uint64_t result(void) {
    return fold(memory[0][0], memory[1][0]);
}

uint64_t work1(void) {
    share((void *) 0);
    share((void *) 1);
    return result();
}

uint64_t work2(void) {
    pthread_t other;
    if (pthread_create(&other, NULL, share, (void *) 1) != 0) {
        die("pthread_create");
    }
    share((void *) 0);
    pthread_join(other, NULL);
    return result();
}
