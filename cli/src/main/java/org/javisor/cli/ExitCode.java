package org.javisor.cli;

/** What the process's exit status means; see also {@code javisor help}. */
final class ExitCode {
    static final int OK = 0;

    /** Something went wrong, in the guest or with its files. */
    static final int FAILURE = 1;

    /** The command line makes no sense. */
    static final int USAGE = 2;

    /** {@code --timeout} has run out. */
    static final int TIMEOUT = 6;

    /** The host lacks something: memory, an engine, a JDK, a mirror. */
    static final int HOST_CANNOT = 7;

    /** With {@code -- COMMAND}: Javisor failed before the command's own status was known. */
    static final int BEFORE_COMMAND = 125;

    /** Ended by this signal before the guest had switched itself off. */
    static int signal(int number) {
        return 128 + number;
    }

    private ExitCode() {}
}
