package org.javisor.guesttests;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.TerminalSize;
import org.javisor.image.TinyImage;
import org.javisor.image.TinySession;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.MachineEnd;
import org.javisor.machine.MachineListener;

/** A Debian kernel with busybox, and its shell on the first serial port. */
final class DebianGuest implements AutoCloseable {
    /** Several times what a boot takes on two busy cores. */
    static final Duration BOOT = Duration.ofMinutes(4);

    static final Duration ANSWER = Duration.ofMinutes(1);

    private static final String PROMPT = "tiny:~# ";

    private final Machine machine;
    private final Console console;
    private int commands;

    private DebianGuest(Machine machine, Console console) {
        this.machine = machine;
        this.console = console;
    }

    /** Starts the image's unpacked kernel. */
    static DebianGuest start(String image, UnaryOperator<MachineConfig.Builder> shape) {
        CachedImage cached = GuestImage.require(image);
        return start(cached, new Kernel(false, "", false), shape);
    }

    /**
     * How the kernel starts.
     *
     * @param compressed the bzImage as Debian ships it, which unpacks itself
     * @param words added to its command line; with a minus in front, taken off
     * @param verbose whether it prints its log
     */
    record Kernel(boolean compressed, String words, boolean verbose) {}

    static DebianGuest start(
            CachedImage image, Kernel kernel, UnaryOperator<MachineConfig.Builder> shape) {
        TinySession session =
                new TinySession(Optional.empty(), TerminalSize.USUAL, "dumb", kernel.verbose());
        BootFiles files = TinyImage.bootFiles(image, session);
        Console console = new Console();
        MachineConfig.Builder builder =
                MachineConfig.builder(kernel.compressed() ? image.kernel() : files.kernel())
                        .initrd(files.initrd())
                        .commandLine(commandLine(files.commandLine(), kernel.words()))
                        .engine(GuestEngine.require())
                        .console(console)
                        .listener(
                                new MachineListener() {
                                    @Override
                                    public void ended(MachineEnd end) {
                                        console.end();
                                    }
                                });
        Machine machine = Machine.create(shape.apply(builder).build());
        machine.start();
        return new DebianGuest(machine, console);
    }

    private static String commandLine(String usual, String words) {
        List<String> line = new ArrayList<>(List.of(usual.split(" ")));
        for (String word : words.split(" ")) {
            if (word.startsWith("-")) {
                line.remove(word.substring(1));
            } else {
                line.add(word);
            }
        }
        return String.join(" ", line).strip();
    }

    Machine machine() {
        return machine;
    }

    Console console() {
        return console;
    }

    /** Waits for the shell's prompt after a boot; switches its echo off. */
    DebianGuest awaitPrompt() throws InterruptedException {
        console.await(PROMPT, BOOT);
        type("stty -echo; PS1=\n");
        return this;
    }

    void type(String text) throws InterruptedException {
        machine.console().send(text.getBytes(StandardCharsets.UTF_8));
    }

    /** What a command printed, lines ended by line feeds, and its status. */
    record Answer(String output, int status) {}

    Answer run(String command) throws InterruptedException {
        return run(command, ANSWER);
    }

    /** Runs a command in the shell. Not for commands that read their standard input. */
    Answer run(String command, Duration limit) throws InterruptedException {
        int number = ++commands;
        // Split, so that an echo of the command would not look like the mark.
        type("echo @'begin'%d; { %s\n}; echo @'end'%d $?\n".formatted(number, command, number));
        Matcher matcher =
                console.await(
                        "@begin%d\r\n((?s:.*?))@end%d ([0-9]+)\r\n".formatted(number, number),
                        limit);
        return new Answer(
                matcher.group(1).replace("\r\n", "\n"), Integer.parseInt(matcher.group(2)));
    }

    MachineEnd awaitEnd(Duration limit) throws InterruptedException {
        return machine.awaitEnd(limit)
                .orElseThrow(
                        () ->
                                new AssertionError(
                                        "The guest did not end within %s; it printed:%n%s"
                                                .formatted(limit, console.text())));
    }

    @Override
    public void close() {
        machine.close();
    }
}
