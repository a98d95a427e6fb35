package org.javisor.share;

/** A request failed as requests do; what the guest is told. */
final class FileError extends Exception {
    private static final long serialVersionUID = 1;

    private final int errno;

    /** No stack trace: a guest can make as many of these as it likes. */
    FileError(int errno) {
        super("errno " + errno, null, false, false);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
