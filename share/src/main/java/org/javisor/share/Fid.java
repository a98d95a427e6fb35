package org.javisor.share;

/** What a client has a number for: a file, and the open file once it has opened it. */
final class Fid {
    /** In place of a descriptor. */
    static final int CLOSED = -1;

    /** Changes when somebody renames the file or what it is in, by way of the same session. */
    volatile FilePath path;

    // Guarded by this object.
    int fd = CLOSED;
    int flags;
    boolean directory;

    /** No longer the client's: whoever still holds it must not open it. */
    boolean forgotten;

    Fid(FilePath path) {
        this.path = path;
    }

    /** The descriptor of the open file. */
    int opened() throws FileError {
        if (fd == CLOSED) {
            throw new FileError(Errno.EBADF);
        }
        return fd;
    }
}
