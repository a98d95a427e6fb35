package org.javisor.machine;

/**
 * A machine cannot be made or operated for a reason outside the guest. The message is one line for
 * the user.
 */
public final class MachineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Whose the fault is. */
    public enum Code {
        /** The configuration asks for something that does not exist. */
        BAD_CONFIGURATION,
        /** The host lacks what the configuration asks for. */
        HOST_CANNOT,
        /** A kernel or initial RAM disk is unreadable, damaged or does not fit. */
        BAD_BOOT_FILE,
        /** The machine is not in a state that allows the operation. */
        WRONG_STATE
    }

    private final Code code;

    public MachineException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public MachineException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
