/* Makes a process that ends at once, and waits for it. */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

uint64_t forks(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(3);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        die("fork");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
