/*
 * Two threads that share a lock now and then and otherwise compute. With two processors it takes as
 * long as one thread's half.
 */
#include "bench.h"

#include <pthread.h>

enum { ROUNDS = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t shared;

static void *work(void *number) {
    uint64_t state = (uintptr_t) number, sum = 0;
    for (int i = 1; i <= ROUNDS; i++) {
        sum += next_random(&state);
        if (i % 1000 == 0) {
            pthread_mutex_lock(&lock);
            shared += sum;
            pthread_mutex_unlock(&lock);
        }
    }
    return NULL;
}

uint64_t threads(void) {
    pthread_t other;
    shared = 0;
    if (pthread_create(&other, NULL, work, (void *) 7) != 0) {
        die("pthread_create");
    }
    work((void *) 8);
    pthread_join(other, NULL);
    return shared;
}
