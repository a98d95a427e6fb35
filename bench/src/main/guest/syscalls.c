/* 100 times getppid: the way into the kernel and back. */
#include "bench.h"

#include <sys/syscall.h>
#include <unistd.h>

uint64_t syscalls(void) {
    long parent = syscall(SYS_getppid);
    for (int i = 1; i < 100; i++) {
        if (syscall(SYS_getppid) != parent) {
            die("getppid");
        }
    }
    return 1;
}
