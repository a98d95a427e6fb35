package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An eventfd(2): what the kernel signals instead of stopping a processor that writes to a device
 * (KVM_IOEVENTFD), and what makes it raise an interrupt when somebody signals it (KVM_IRQFD).
 */
final class EventFd implements AutoCloseable {
    private static final int MATCH_DATA = 1, PORT = 2, DEASSIGN = 4;
    private static final int IRQFD_DEASSIGN = 1;

    /** Not closed: closing one that threads share stops them all for a moment. */
    private final Arena arena = Arena.ofAuto();

    private final MemorySegment errno = LinuxCalls.newErrno(arena);
    private final MemorySegment one = arena.allocate(8, 8);
    private final MemorySegment count = arena.allocate(8, 8);
    private final int fd;
    private boolean closed;

    EventFd() {
        fd = LinuxCalls.eventfd(true);
        if (fd < 0) {
            throw new KvmException("Making an eventfd", -fd);
        }
        one.set(ValueLayout.JAVA_LONG, 0, 1);
    }

    /** From any thread; allocates nothing. */
    void signal() {
        long ignored = LinuxCalls.write8(errno, fd, one.address());
    }

    /** Waits for signals; how many there were since the last call. For one thread. */
    long await() {
        while (true) {
            long result = LinuxCalls.read8(errno, fd, count.address());
            if (result == 8) {
                return count.get(ValueLayout.JAVA_LONG, 0);
            }
            if (result != -LinuxCalls.EINTR) {
                throw new KvmException("Reading an eventfd", (int) -result);
            }
        }
    }

    /**
     * Lets the kernel signal this when a guest writes to an address, instead of stopping the
     * processor.
     *
     * @param port whether it is a port, else a guest-physical address
     * @param size of the access in bytes; 0 for any
     */
    void onWrite(KvmHandle vm, boolean port, long address, int size, boolean assign) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment event = scratch.allocate(Layouts.IOEVENTFD);
            Fields.putLong(event, Layouts.IOEVENTFD, "addr", address);
            Fields.putInt(event, Layouts.IOEVENTFD, "len", size);
            Fields.putInt(event, Layouts.IOEVENTFD, "fd", fd);
            int flags = (port ? PORT : 0) | (assign ? 0 : DEASSIGN);
            Fields.putInt(event, Layouts.IOEVENTFD, "flags", flags);
            vm.call(Ioctl.IOEVENTFD, event);
        }
    }

    /** As {@link #onWrite}, for one value only: a queue's number, as virtio has it. */
    void onWriteOf(KvmHandle vm, long gpa, int size, long value) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment event = scratch.allocate(Layouts.IOEVENTFD);
            Fields.putLong(event, Layouts.IOEVENTFD, "addr", gpa);
            Fields.putLong(event, Layouts.IOEVENTFD, "datamatch", value);
            Fields.putInt(event, Layouts.IOEVENTFD, "len", size);
            Fields.putInt(event, Layouts.IOEVENTFD, "fd", fd);
            Fields.putInt(event, Layouts.IOEVENTFD, "flags", MATCH_DATA);
            vm.call(Ioctl.IOEVENTFD, event);
        }
    }

    /** Lets a signal raise an interrupt number of the kernel's routing table. */
    void raises(KvmHandle vm, int gsi, boolean assign) {
        int result = raise(vm, fd, gsi, assign);
        if (result < 0) {
            throw new KvmException("KVM_IRQFD", -result);
        }
    }

    /** As {@link #raises}, for a plain descriptor; 0 or a negated error number. */
    static int raise(KvmHandle vm, int fd, int gsi, boolean assign) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment irqfd = scratch.allocate(Layouts.IRQFD);
            Fields.putInt(irqfd, Layouts.IRQFD, "fd", fd);
            Fields.putInt(irqfd, Layouts.IRQFD, "gsi", gsi);
            Fields.putInt(irqfd, Layouts.IRQFD, "flags", assign ? 0 : IRQFD_DEASSIGN);
            return vm.tryCall(Ioctl.IRQFD, irqfd);
        }
    }

    /** Signals a plain descriptor; for what is done seldom. */
    static void signal(int fd) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment number = scratch.allocateFrom(ValueLayout.JAVA_LONG, 1);
            long ignored = LinuxCalls.write8(LinuxCalls.newErrno(scratch), fd, number.address());
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            LinuxCalls.close(fd);
        }
    }
}
