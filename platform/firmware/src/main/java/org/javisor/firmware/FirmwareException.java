package org.javisor.firmware;

/**
 * The machine cannot be started as asked; the message is one line that says what is wrong and what
 * to do.
 */
public final class FirmwareException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What kind of obstacle it is. */
    public enum Code {
        /** The file cannot be read. */
        UNREADABLE,
        /** The bytes are not a kernel for this machine. */
        NOT_A_KERNEL,
        /** A kernel whose file ends early or contradicts itself. */
        DAMAGED_KERNEL,
        /** A kernel with a boot protocol that is not offered. */
        UNSUPPORTED_KERNEL,
        /** Too little memory, or more than can be had. */
        MEMORY_SIZE,
        /** The initial RAM disk does not fit. */
        INITRD_SIZE,
        /** The command line is longer than the kernel takes, or not text. */
        COMMAND_LINE,
        /** The machine has more parts than its ACPI tables have room for, or impossible ones. */
        CONFIGURATION
    }

    private final Code code;

    public FirmwareException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public FirmwareException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
