/* 20 signals to itself: a frame is built on the stack, a handler runs, the frame is taken down. */
#include "bench.h"

#include <signal.h>

static volatile sig_atomic_t received;

static void handle(int number) {
    (void) number;
    received++;
}

uint64_t signals(void) {
    if (signal(SIGUSR1, handle) == SIG_ERR) {
        die("signal");
    }
    received = 0;
    for (int i = 0; i < 20; i++) {
        raise(SIGUSR1);
    }
    return received;
}
