package org.javisor.gdb;

/** Why a processor stands still. */
sealed interface StopCause {
    /** The debugger wanted it, by ^C or by attaching. */
    record Asked() implements StopCause {}

    /** A triple fault; the machine ends when the processor goes on. */
    record ShutDown() implements StopCause {}

    /** A step is done. */
    record Stepped() implements StopCause {}

    /** Before the instruction at a breakpoint. */
    record Breakpoint(long linear, boolean hardware) implements StopCause {}

    /** After an access to watched memory; {@code word} is how the protocol calls the kind. */
    record Watched(long linear, String word) implements StopCause {}
}
