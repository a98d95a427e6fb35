package org.javisor.image;

import java.util.Optional;

/**
 * How one run of a Debian guest is used.
 *
 * @param seed what the machine is told about itself
 * @param command to run instead of a login on the console
 * @param terminal the size of the user's terminal
 * @param terminalType its {@code TERM}
 * @param verbose whether the kernel's messages are wanted
 * @param kept whether the disk is kept, so that a command's end must shut down in order
 */
public record DebianSession(
        GuestSeed seed,
        Optional<GuestCommand> command,
        TerminalSize terminal,
        String terminalType,
        boolean verbose,
        boolean kept) {

    /** A terminal's type goes to the kernel's command line, so it must be one word. */
    public DebianSession {
        if (!terminalType.matches("[A-Za-z0-9+._-]{1,64}")) {
            terminalType = "vt220";
        }
    }
}
