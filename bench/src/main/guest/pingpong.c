/* A byte to another process and back, 20 times, both on one processor: pipes and context switches. */
#include "bench.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

static int request[2], answer[2];

static void answer_all(void) {
    char byte;
    while (read(request[0], &byte, 1) == 1) {
        byte++;
        if (write(answer[1], &byte, 1) != 1) {
            break;
        }
    }
    _exit(0);
}

static void prepare(void) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    if (sched_setaffinity(0, sizeof here, &here) != 0 || pipe(request) != 0 || pipe(answer) != 0) {
        die("pipe");
    }
    switch (fork()) {
    case -1: die("fork");
    case 0:
        /* The other process ends when this one's end of the pipe closes. */
        close(request[1]);
        answer_all();
    }
}

uint64_t pingpong(void) {
    if (request[1] == 0) {
        prepare();
    }
    uint64_t sum = 0;
    for (int i = 0; i < 20; i++) {
        char byte = i;
        if (write(request[1], &byte, 1) != 1 || read(answer[0], &byte, 1) != 1) {
            die("pipe");
        }
        sum = fold(sum, byte);
    }
    return sum;
}
