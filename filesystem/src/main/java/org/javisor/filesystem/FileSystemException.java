package org.javisor.filesystem;

/**
 * A file system cannot take what it was given. The message is one line, capitalised, without a full
 * stop.
 */
public final class FileSystemException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What kind of thing went wrong, for programs. */
    public enum Code {
        /** There are not enough blocks or inodes. */
        FULL,
        /** The size asked for is too small or too large for the format. */
        SIZE,
        /** A path is malformed, or leads through something that is not a directory. */
        PATH,
        /** Content ended early, or an attribute does not fit. */
        CONTENT
    }

    private final Code code;

    FileSystemException(Code code, String message) {
        super(message);
        this.code = code;
    }

    /** The kind of failure. */
    public Code code() {
        return code;
    }
}
