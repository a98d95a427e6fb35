package org.javisor.image;

/**
 * A guest image could not be had. The message is one line for the user: what is wrong and what to
 * do about it.
 */
public final class ImageException extends RuntimeException {

    /** What kind of thing went wrong, for programs. */
    public enum Code {
        /** No mirror was named and the host's apt configuration has none. */
        NO_MIRROR,
        /** The mirror's address is not one that can be used. */
        BAD_MIRROR,
        /** The mirror cannot be reached or keeps failing. */
        NETWORK,
        /** The mirror has no such file. */
        NOT_FOUND,
        /** A web page came instead of a file: a login portal, or not a Debian mirror. */
        HTML_ANSWER,
        /** The file with the archive's public keys is missing or unreadable. */
        KEYRING,
        /** No good signature by a known, valid key. */
        SIGNATURE,
        /** The archive's signed index is past its Valid-Until, or dated in the future. */
        EXPIRED,
        /** A file is not the one that the signed index describes. */
        CHECKSUM,
        /** A file ended early. */
        TRUNCATED,
        /** A file does not follow its format. */
        MALFORMED,
        /** The archive does not have the package, or the package lacks the file that is needed. */
        PACKAGE_MISSING,
        /** The disk, or the user's share of it, is full. */
        DISK_FULL,
        /** The cache directory cannot be read or written. */
        CACHE,
        /** What a machine was to be told about itself makes no sense. */
        BAD_SEED,
        /** What was asked of a build makes no sense. */
        BAD_RECIPE,
        /** The disk asked for is too small for the packages. */
        TOO_SMALL,
        /** The guest that configures the packages failed. */
        SECOND_STAGE,
        /** The catalog has no image of this name. */
        UNKNOWN_IMAGE,
        /** Another process's pull was waited for and the wait was interrupted. */
        INTERRUPTED
    }

    private final Code code;

    /**
     * @param code the kind
     * @param message one line, capitalised, that also says what to do
     */
    public ImageException(Code code, String message) {
        super(message);
        this.code = code;
    }

    /**
     * @param code the kind
     * @param message one line, capitalised, that also says what to do
     * @param cause what lies underneath
     */
    public ImageException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** The kind of failure. */
    public Code code() {
        return code;
    }
}
