package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A command to run in the guest instead of a shell.
 *
 * @param arguments the program and its arguments: any bytes but zero
 * @param input where its standard input comes from
 */
public record GuestCommand(List<byte[]> arguments, Input input) {

    /** Where the command's standard input comes from, and with it what its output is. */
    public enum Input {
        /** Standard input is at its end; output is a pipe, carried to COM1 byte for byte. */
        NONE,
        /**
         * Standard input is what {@link GuestControl} is asked for and answers, its end included;
         * output is a pipe, carried to COM1 byte for byte.
         */
        PIPE,
        /**
         * Input, output and errors are COM1 as the controlling terminal, with echo, line editing,
         * Ctrl-C and window size.
         */
        TERMINAL
    }

    /** Requires at least a program, and no zero bytes. */
    public GuestCommand {
        arguments = arguments.stream().map(byte[]::clone).toList();
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException("No command");
        }
        for (byte[] argument : arguments) {
            for (byte b : argument) {
                if (b == 0) {
                    throw new IllegalArgumentException("A zero byte in the command");
                }
            }
        }
    }

    /** A command of strings, which the guest sees as UTF-8. */
    public static GuestCommand of(List<String> arguments, Input input) {
        return new GuestCommand(
                arguments.stream().map(a -> a.getBytes(StandardCharsets.UTF_8)).toList(), input);
    }

    /**
     * The command that stands at the end of this process's own command line. Java turns arguments
     * into characters, which loses bytes that are not text in the current locale; on Linux they are
     * taken from {@code /proc/self/cmdline} instead.
     *
     * @param arguments the last arguments of this process, as Java gave them
     */
    public static GuestCommand ofProcess(List<String> arguments, Input input) {
        try {
            List<byte[]> all = zeroSeparated(Files.readAllBytes(Path.of("/proc/self/cmdline")));
            if (all.size() > arguments.size()) {
                List<byte[]> last = all.subList(all.size() - arguments.size(), all.size());
                if (agree(last, arguments)) {
                    return new GuestCommand(last, input);
                }
            }
        } catch (IOException e) {
            // Not a Linux host: what Java gave is all there is.
        }
        return of(arguments, input);
    }

    static List<byte[]> zeroSeparated(byte[] bytes) {
        List<byte[]> parts = new ArrayList<>();
        ByteArrayOutputStream part = new ByteArrayOutputStream();
        for (byte b : bytes) {
            if (b == 0) {
                parts.add(part.toByteArray());
                part.reset();
            } else {
                part.write(b);
            }
        }
        return parts;
    }

    /** Whether the bytes are those arguments, as far as ASCII can tell. */
    static boolean agree(List<byte[]> raw, List<String> arguments) {
        for (int i = 0; i < raw.size(); i++) {
            String decoded = new String(raw.get(i), StandardCharsets.UTF_8);
            boolean ascii = decoded.chars().allMatch(c -> c < 0x80);
            if (ascii && !decoded.equals(arguments.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** The command as a script for a POSIX shell, which becomes the command. */
    byte[] script() {
        ByteArrayOutputStream script = new ByteArrayOutputStream();
        script.writeBytes("exec".getBytes(StandardCharsets.US_ASCII));
        for (byte[] argument : arguments) {
            script.write(' ');
            script.write('\'');
            for (byte b : argument) {
                if (b == '\'') {
                    script.writeBytes("'\\''".getBytes(StandardCharsets.US_ASCII));
                } else {
                    script.write(b);
                }
            }
            script.write('\'');
        }
        script.write('\n');
        return script.toByteArray();
    }
}
