package org.javisor.storage;

/**
 * A disk image cannot be used, or a request to it failed. The message is one line for the user:
 * what is wrong, with which file, and where there is something to do, what.
 */
public final class StorageException extends RuntimeException {

    /** What kind of thing went wrong, for programs. */
    public enum Code {
        /** The host's disk failed, or the file is no longer what it was when it was opened. */
        IO,
        /** The host's disk, the user's share of it or the largest size of a file is used up. */
        NO_SPACE,
        /** A write to what may only be read. */
        READ_ONLY,
        /** The range lies outside the disk. */
        OUT_OF_RANGE,
        /** The operation or the image's feature is not one that is supported. */
        UNSUPPORTED,
        /** The image contradicts itself; writes stay refused until it is repaired. */
        CORRUPT,
        /** Somebody else uses the file in a way that excludes this use. */
        LOCKED,
        /** There is no such file, snapshot or backing file. */
        NOT_FOUND,
        /** The file exists and may not be opened. */
        ACCESS,
        /** The file does not have the format it is said to have. */
        BAD_FORMAT,
        /** An option or a size makes no sense. */
        BAD_ARGUMENT
    }

    private static final long serialVersionUID = 1L;

    private final Code code;

    /**
     * @param code the kind
     * @param message one line, capitalised
     */
    public StorageException(Code code, String message) {
        super(message);
        this.code = code;
    }

    /**
     * @param code the kind
     * @param message one line, capitalised
     * @param cause what lies underneath
     */
    public StorageException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** The kind of failure. */
    public Code code() {
        return code;
    }
}
