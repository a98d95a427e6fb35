/*
 * What it costs to leave a guest of KVM's and go back: the loops of org.javisor.kvm.ExitCosts, on
 * the same guest, in C.
 *
 *   exits WAY ROUNDS IMAGE     prints nanoseconds of one round trip
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 0x10000, RINGS = 1000, VECTOR = 0x40, CPUID_MOST = 256 };

static int kvm, vm, vcpu;
static size_t run_size;
static struct kvm_run *run;
static uint8_t *memory;
static volatile uint64_t exits;
static volatile int ending;
static uint8_t image[SIZE];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int call(int fd, unsigned long request, void *argument, const char *what) {
    int result = ioctl(fd, request, argument);
    if (result < 0) {
        die(what);
    }
    return result;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Processor time of this thread: what else the host does has no part in it. */
static double used(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct kvm_segment segment(int selector, int type, int is64, int system) {
    struct kvm_segment s = {.limit = system ? 0x67 : 0xffffffff, .selector = selector,
        .type = type, .present = 1, .s = !system, .g = !system, .l = is64, .db = !system && !is64};
    return s;
}

static void create(int kernel_apic, uint64_t rip) {
    vm = call(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
    memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(memory, image, SIZE);
    uint64_t identity = 0xfeffc000;
    call(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity, "KVM_SET_IDENTITY_MAP_ADDR");
    call(vm, KVM_SET_TSS_ADDR, (void *) 0xfeffd000UL, "KVM_SET_TSS_ADDR");
    struct kvm_userspace_memory_region region = {.memory_size = SIZE,
        .userspace_addr = (uintptr_t) memory};
    call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
    if (kernel_apic) {
        struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
        call(vm, KVM_ENABLE_CAP, &split, "KVM_CAP_SPLIT_IRQCHIP");
    }
    vcpu = call(vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
    run = mmap(0, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[CPUID_MOST];
    } cpuid = {.head.nent = CPUID_MOST};
    call(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid, "KVM_GET_SUPPORTED_CPUID");
    call(vcpu, KVM_SET_CPUID2, &cpuid, "KVM_SET_CPUID2");
    struct kvm_sregs s;
    call(vcpu, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
    s.cs = segment(8, 0xb, 1, 0);
    s.ds = s.es = s.fs = s.gs = s.ss = segment(0x10, 3, 0, 0);
    s.tr = segment(0x18, 0xb, 0, 1);
    s.ldt = (struct kvm_segment){.unusable = 1};
    s.gdt = (struct kvm_dtable){.base = 0x3000, .limit = 23};
    s.idt = (struct kvm_dtable){.base = 0x4000, .limit = 0xfff};
    s.cr0 = 0x80050033;
    s.cr3 = 0x5000;
    s.cr4 = 0x620;
    s.efer = 0x500;
    call(vcpu, KVM_SET_SREGS, &s, "KVM_SET_SREGS");
    struct kvm_regs r = {.rip = rip, .rsp = 0x2ff0, .rflags = 2};
    call(vcpu, KVM_SET_REGS, &r, "KVM_SET_REGS");
}

static void destroy(void) {
    munmap(run, run_size);
    close(vcpu);
    close(vm);
    munmap(memory, SIZE);
}

/* Runs until so many accesses have been answered. */
static void run_for(uint64_t accesses) {
    while (accesses > 0 && !ending) {
        if (ioctl(vcpu, KVM_RUN, 0) < 0) {
            continue;
        }
        if (run->exit_reason != KVM_EXIT_IO && run->exit_reason != KVM_EXIT_MMIO) {
            fprintf(stderr, "exit reason %d\n", run->exit_reason);
            exit(1);
        }
        exits = exits + 1;
        accesses--;
    }
}

static double loop(uint64_t rip, int rounds) {
    create(0, rip);
    run_for(rounds / 10 + 1);
    double begin = used();
    run_for(rounds);
    double nanos = used() - begin;
    destroy();
    return nanos / rounds;
}

static double doorbells(int rounds) {
    int laps = rounds / RINGS + 1;
    create(0, 0x1200);
    struct kvm_ioeventfd event = {.addr = 0x20, .len = 1, .fd = eventfd(0, 0),
        .flags = KVM_IOEVENTFD_FLAG_PIO};
    call(vm, KVM_IOEVENTFD, &event, "KVM_IOEVENTFD");
    run_for(1);
    double begin = used();
    run_for(laps);
    double nanos = used() - begin;
    destroy();
    close(event.fd);
    return nanos / ((double) laps * RINGS);
}

static void *processor(void *unused) {
    (void) unused;
    run_for(UINT64_MAX);
    return 0;
}

static double interrupts(int rounds) {
    create(1, 0x1300);
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entry;
    } routes = {.head.nr = 1};
    routes.entry.type = KVM_IRQ_ROUTING_MSI;
    routes.entry.u.msi.address_lo = 0xfee00000;
    routes.entry.u.msi.data = VECTOR;
    call(vm, KVM_SET_GSI_ROUTING, &routes, "KVM_SET_GSI_ROUTING");
    struct kvm_irqfd irqfd = {.fd = eventfd(0, 0), .gsi = 0};
    call(vm, KVM_IRQFD, &irqfd, "KVM_IRQFD");
    pthread_t thread;
    pthread_create(&thread, 0, processor, 0);
    while (exits < 1) {
    }
    double begin = now();
    uint64_t one = 1;
    for (int n = 0; n < rounds; n++) {
        if (write(irqfd.fd, &one, 8) != 8) {
            die("write");
        }
        while (exits < (uint64_t) n + 2) {
        }
    }
    double nanos = now() - begin;
    /* One more interrupt lets the processor see that it is to end. */
    ending = 1;
    if (write(irqfd.fd, &one, 8) != 8) {
        die("write");
    }
    pthread_join(thread, 0);
    destroy();
    return nanos / rounds;
}

static double creations(int rounds) {
    create(0, 0x1000);
    destroy();
    double begin = used();
    for (int n = 0; n < rounds; n++) {
        create(0, 0x1000);
        destroy();
    }
    return (used() - begin) / rounds;
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: exits WAY ROUNDS IMAGE\n");
        return 2;
    }
    int rounds = atoi(words[2]);
    FILE *file = fopen(words[3], "rb");
    if (!file || fread(image, 1, SIZE, file) != SIZE) {
        die(words[3]);
    }
    fclose(file);
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        die("/dev/kvm");
    }
    run_size = call(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
    double nanos;
    if (!strcmp(words[1], "PORT")) {
        nanos = loop(0x1000, rounds);
    } else if (!strcmp(words[1], "MMIO")) {
        nanos = loop(0x1100, rounds);
    } else if (!strcmp(words[1], "IOEVENTFD")) {
        nanos = doorbells(rounds);
    } else if (!strcmp(words[1], "IRQFD")) {
        nanos = interrupts(rounds);
    } else if (!strcmp(words[1], "CREATION")) {
        nanos = creations(rounds);
    } else {
        fprintf(stderr, "unknown way %s\n", words[1]);
        return 2;
    }
    printf("%.0f\n", nanos);
    return 0;
}
