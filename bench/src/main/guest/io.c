/*
 * io: reads and writes a disk, sends and receives over TCP, and pings, for a given time, and prints
 *     io OPERATIONS BYTES NANOSECONDS
 *
 *     io disk DEVICE read|write sequential|random BLOCK DEPTH MILLISECONDS
 *     io fill DEVICE PART PARTS           every block of a part once, in order, timed to the end of the flush
 *     io send|receive ADDRESS PORT MILLISECONDS
 *     io ping ADDRESS COUNT
 *     io serve PORT                       the other end of send and receive, for ever
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <netinet/ip_icmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DEPTH = 64, CHUNK = 128 << 10 };

static _Noreturn void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static int report(uint64_t operations, uint64_t bytes, uint64_t start) {
    printf("io %llu %llu %llu\n", (unsigned long long) operations, (unsigned long long) bytes,
           (unsigned long long) (now() - start));
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Marsaglia's xorshift64: the same places everywhere. */
static uint64_t next_random(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* ---- disks ---- */

struct disk {
    int file;
    uint64_t blocks;
    uint64_t at;
    size_t block;
    int write, random;
    aio_context_t context;
};

static void submit(struct disk *disk, struct iocb *request) {
    uint64_t number = disk->random ? next_random() % disk->blocks : disk->at++ % disk->blocks;
    request->aio_offset = number * disk->block;
    struct iocb *list[] = {request};
    if (syscall(SYS_io_submit, disk->context, 1, list) != 1) {
        die("io_submit");
    }
}

static uint64_t take(struct disk *disk, struct iocb **done) {
    struct io_event event;
    while (syscall(SYS_io_getevents, disk->context, 1, 1, &event, NULL) != 1) {
        if (errno != EINTR) {
            die("io_getevents");
        }
    }
    if (event.res != (int64_t) disk->block) {
        errno = event.res < 0 ? -event.res : EIO;
        die("a request");
    }
    *done = (struct iocb *) event.obj;
    return event.res;
}

struct part {
    unsigned number, of;
};

static int disk(const char *device, int write, int random, size_t block, int depth, uint64_t least,
                struct part part) {
    struct disk disk = {.block = block, .write = write, .random = random};
    uint64_t size;
    disk.file = open(device, O_RDWR | O_DIRECT);
    if (disk.file < 0 || ioctl(disk.file, BLKGETSIZE64, &size) != 0) {
        die(device);
    }
    disk.blocks = size / block;
    if (depth < 1 || depth > MOST_DEPTH || part.number >= part.of || disk.blocks / part.of == 0) {
        errno = EINVAL;
        die("depth, block or part");
    }
    disk.at = disk.blocks / part.of * part.number;
    if (syscall(SYS_io_setup, MOST_DEPTH, &disk.context) != 0) {
        die("io_setup");
    }
    struct iocb requests[MOST_DEPTH];
    memset(requests, 0, sizeof requests);
    for (int i = 0; i < depth; i++) {
        void *buffer;
        if (posix_memalign(&buffer, 4096, block) != 0) {
            die("memory");
        }
        memset(buffer, 'a' + i, block);
        requests[i].aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
        requests[i].aio_fildes = disk.file;
        requests[i].aio_buf = (uintptr_t) buffer;
        requests[i].aio_nbytes = block;
    }
    uint64_t operations = 0, bytes = 0;
    uint64_t start = now();
    for (int i = 0; i < depth; i++) {
        submit(&disk, &requests[i]);
    }
    /* Without a time: each block of the part once. */
    uint64_t wanted = least == 0 ? disk.blocks / part.of : UINT64_MAX;
    int busy = depth;
    while (busy > 0) {
        struct iocb *done;
        bytes += take(&disk, &done);
        operations++;
        if (operations + busy - 1 < wanted && (least == 0 || now() - start < least)) {
            submit(&disk, done);
        } else {
            busy--;
        }
    }
    if (least == 0 && fsync(disk.file) != 0) {
        die("fsync");
    }
    return report(operations, bytes, start);
}

/* ---- TCP: the client says 'w' or 'r' first; what it wrote is answered by a byte at the end ---- */

static char chunk[CHUNK];

static struct sockaddr_in address(const char *host, const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        errno = EINVAL;
        die(host);
    }
    return address;
}

static int stream(const char *host, const char *port, int writes, uint64_t least) {
    struct sockaddr_in peer = address(host, port);
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(file, (struct sockaddr *) &peer, sizeof peer) != 0) {
        die("connect");
    }
    if (write(file, writes ? "w" : "r", 1) != 1) {
        die("write");
    }
    uint64_t operations = 0, bytes = 0;
    uint64_t start = now();
    while (now() - start < least) {
        ssize_t count = writes ? write(file, chunk, CHUNK) : read(file, chunk, CHUNK);
        if (count <= 0) {
            die(writes ? "write" : "read");
        }
        operations++;
        bytes += count;
    }
    if (writes && (shutdown(file, SHUT_WR) != 0 || read(file, chunk, 1) != 1)) {
        die("the last answer");
    }
    return report(operations, bytes, start);
}

static void serve_one(int file) {
    char what;
    if (read(file, &what, 1) != 1) {
        return;
    }
    if (what == 'w') {
        while (read(file, chunk, CHUNK) > 0) {
        }
        if (write(file, "e", 1) != 1) {
            return;
        }
    } else {
        while (send(file, chunk, CHUNK, MSG_NOSIGNAL) > 0) {
        }
    }
}

static int serve(const char *port) {
    struct sockaddr_in own = address("0.0.0.0", port);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *) &own, sizeof own) != 0 || listen(listener, 8) != 0) {
        die("listen");
    }
    for (;;) {
        int file = accept(listener, NULL, NULL);
        if (file >= 0) {
            serve_one(file);
            close(file);
        }
    }
}

/* ---- ping ---- */

static uint16_t checksum(const uint16_t *words, int count) {
    uint32_t sum = 0;
    while (count-- > 0) {
        sum += *words++;
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16));
}

static int ping(const char *host, int count) {
    struct sockaddr_in peer = address(host, "0");
    int file = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    struct timeval patience = {.tv_sec = 2};
    if (file < 0 || setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
        die("socket");
    }
    struct {
        struct icmphdr header;
        char data[56];
    } echo = {.header = {.type = ICMP_ECHO, .un.echo.id = htons(4711)}};
    uint64_t start = now();
    for (int i = 0; i < count; i++) {
        echo.header.un.echo.sequence = htons(i);
        echo.header.checksum = 0;
        echo.header.checksum = checksum((uint16_t *) &echo, sizeof echo / 2);
        if (sendto(file, &echo, sizeof echo, 0, (struct sockaddr *) &peer, sizeof peer) < 0) {
            die("sendto");
        }
        for (;;) {
            unsigned char answer[256];
            ssize_t length = recv(file, answer, sizeof answer, 0);
            if (length < 0) {
                die("no answer");
            }
            struct icmphdr *header = (struct icmphdr *) (answer + 4 * (answer[0] & 15));
            if (header->type == ICMP_ECHOREPLY && header->un.echo.sequence == htons(i)) {
                break;
            }
        }
    }
    return report(count, (uint64_t) count * sizeof echo, start);
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "disk") == 0 && argc == 8) {
        return disk(argv[2], strcmp(argv[3], "write") == 0, strcmp(argv[4], "random") == 0,
                    atol(argv[5]), atoi(argv[6]), atol(argv[7]) * 1000000ull, (struct part) {0, 1});
    }
    if (strcmp(verb, "fill") == 0 && argc == 5) {
        return disk(argv[2], 1, 0, 1 << 20, 4, 0, (struct part) {atoi(argv[3]), atoi(argv[4])});
    }
    if ((strcmp(verb, "send") == 0 || strcmp(verb, "receive") == 0) && argc == 5) {
        return stream(argv[2], argv[3], verb[0] == 's', atol(argv[4]) * 1000000ull);
    }
    if (strcmp(verb, "ping") == 0 && argc == 4) {
        return ping(argv[2], atoi(argv[3]));
    }
    if (strcmp(verb, "serve") == 0 && argc == 3) {
        return serve(argv[2]);
    }
    fprintf(stderr, "io: what?\n");
    return 2;
}
