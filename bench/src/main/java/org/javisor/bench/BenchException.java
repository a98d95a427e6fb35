package org.javisor.bench;

/** Ends the benchmarks with one line for the user and an exit status. */
final class BenchException extends RuntimeException {
    static final int FAILURE = 1;
    static final int USAGE = 2;
    static final int HOST_CANNOT = 7;

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    BenchException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    BenchException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
