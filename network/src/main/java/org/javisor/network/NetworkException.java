package org.javisor.network;

/** A network cannot be made or used as asked. The message is one line for the user. */
public final class NetworkException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What kind of failure it is. */
    public enum Code {
        /** An option makes no sense. */
        BAD_OPTION,
        /** A port of the host is taken or not allowed. */
        PORT_TAKEN,
        /** The host lacks something, or its permission. */
        HOST_CANNOT,
        /** There is no switch of that name, or it has gone. */
        NO_SWITCH,
        /** A file cannot be written. */
        FILE
    }

    private final Code code;

    public NetworkException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public NetworkException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    static NetworkException badOption(String format, Object... arguments) {
        return new NetworkException(Code.BAD_OPTION, format.formatted(arguments));
    }

    public Code code() {
        return code;
    }
}
