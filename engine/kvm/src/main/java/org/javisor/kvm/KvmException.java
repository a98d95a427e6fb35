package org.javisor.kvm;

/** KVM or the host refused something that the engine cannot do without. */
public final class KvmException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    KvmException(String what, int errno) {
        super(what + ": " + LinuxCalls.describe(errno));
        this.errno = errno;
    }

    /** The host's error number, as in errno(3). */
    public int errno() {
        return errno;
    }
}
