package org.javisor.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;

/**
 * The process around a command, so that a test can stand in for it.
 *
 * @param in standard input, unbuffered
 * @param out standard output, unbuffered: the guest's
 * @param err standard error: Javisor's own
 * @param stdinTerminal whether standard input is a terminal
 * @param stdoutTerminal whether standard output is one
 * @param stderrTerminal whether standard error is one
 * @param machines makes machines
 */
record Surroundings(
        InputStream in,
        OutputStream out,
        PrintStream err,
        Map<String, String> environment,
        boolean stdinTerminal,
        boolean stdoutTerminal,
        boolean stderrTerminal,
        HostSignals signals,
        Function<MachineConfig, Machine> machines) {

    /** This process. */
    static Surroundings ofProcess() {
        return new Surroundings(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new PrintStream(
                        new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                System.getenv(),
                HostTerminals.isTerminal(HostTerminals.STDIN),
                HostTerminals.isTerminal(HostTerminals.STDOUT),
                HostTerminals.isTerminal(HostTerminals.STDERR),
                HostSignals.ofProcess(),
                Machine::create);
    }
}
