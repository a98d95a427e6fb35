package org.javisor.image;

import java.util.Optional;

/**
 * How {@code tiny} is to be started.
 *
 * @param command a command to run; without one a login shell runs on COM1
 * @param terminal the size of the user's terminal
 * @param terminalType the guest's {@code TERM}
 * @param verbose whether the kernel's messages are shown
 */
public record TinySession(
        Optional<GuestCommand> command,
        TerminalSize terminal,
        String terminalType,
        boolean verbose) {

    /** A terminal type that is not a plain name is not passed on. */
    public TinySession {
        terminalType = terminalType.matches("[A-Za-z0-9._+-]{1,64}") ? terminalType : "vt100";
    }

    /** A shell in a terminal of that size. */
    public static TinySession shell(TerminalSize terminal, String terminalType) {
        return new TinySession(Optional.empty(), terminal, terminalType, false);
    }

    /** A command, whose output is not a terminal unless its input is one. */
    public static TinySession command(GuestCommand command) {
        return new TinySession(Optional.of(command), TerminalSize.USUAL, "dumb", false);
    }
}
