package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A file descriptor of KVM's: of the system, a machine or a processor. */
final class KvmHandle implements AutoCloseable {
    private final int fd;
    private volatile boolean closed;

    KvmHandle(int fd) {
        this.fd = fd;
    }

    int fd() {
        return fd;
    }

    /** The result, or a negated error number. */
    int tryCall(Ioctl request, long argument) {
        if (closed) {
            // The number may be another file's by now.
            return -LinuxCalls.EBADF;
        }
        return LinuxCalls.ioctl(fd, request.request(), argument);
    }

    /**
     * @throws KvmException if it is refused
     */
    int call(Ioctl request, long argument) {
        int result = tryCall(request, argument);
        if (result < 0) {
            throw new KvmException("KVM_" + request.name(), -result);
        }
        return result;
    }

    int call(Ioctl request, MemorySegment argument) {
        return call(request, argument.address());
    }

    int tryCall(Ioctl request, MemorySegment argument) {
        return tryCall(request, argument.address());
    }

    /** As a number greater than 0 where it is offered. */
    int capability(Capability capability) {
        return Math.max(0, tryCall(Ioctl.CHECK_EXTENSION, capability.number()));
    }

    boolean offers(Capability capability) {
        return capability(capability) > 0;
    }

    /**
     * Switches a capability on.
     *
     * @return 0, or a negated error number
     */
    int enable(Capability capability, long argument) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cap = arena.allocate(Layouts.ENABLE_CAP);
            Fields.putInt(cap, Layouts.ENABLE_CAP, "cap", capability.number());
            Fields.putLong(cap, Layouts.ENABLE_CAP, "args", argument);
            return tryCall(Ioctl.ENABLE_CAP, cap);
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
