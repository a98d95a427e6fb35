package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.StringJoiner;

/**
 * Starts a cached {@code tiny}: its kernel, its initramfs with Javisor's part appended, and a
 * kernel command line.
 *
 * <p>The guest's two serial ports:
 *
 * <table>
 * <caption>COM1 and COM2 by session</caption>
 * <tr><th>session</th><th>COM1, ttyS0</th><th>COM2, ttyS1</th></tr>
 * <tr><td>shell</td><td>kernel console, then the shell's terminal</td><td>control</td></tr>
 * <tr><td>command, {@code TERMINAL}</td><td>the command's terminal</td>
 *     <td>kernel console and control</td></tr>
 * <tr><td>command, otherwise</td><td>the command's output, raw</td>
 *     <td>kernel console and control</td></tr>
 * </table>
 *
 * <p>Control is {@link GuestControl}. The guest powers itself off when the shell or the command
 * ends.
 */
public final class TinyImage {

    /**
     * One serial driver slot for each port the machine has; a panic resets at once, so that the
     * host sees it; no keyboard or mouse is searched for; the time stamp counter needs no watching,
     * as it comes from one clock. A guest that lives for minutes and holds nothing of value needs
     * neither mitigations nor a randomised kernel address, both of which cost start-up time.
     */
    private static final String COMMON =
            "8250.nr_uarts=2 panic=-1 i8042.noaux i8042.nokbd tsc=reliable no_timer_check"
                    + " mitigations=off nokaslr";

    private TinyImage() {}

    /**
     * What to boot.
     *
     * @throws ImageException {@code CACHE} when the image cannot be read
     */
    public static BootFiles bootFiles(CachedImage image, TinySession session) {
        try {
            ByteArrayOutputStream initrd = new ByteArrayOutputStream();
            initrd.writeBytes(Files.readAllBytes(image.initramfs()));
            initrd.writeBytes(overlay(session));
            return new BootFiles(image.bootKernel(), initrd.toByteArray(), commandLine(session));
        } catch (IOException e) {
            throw new ImageException(
                    ImageException.Code.CACHE,
                    "Cannot read the image "
                            + image.name()
                            + ": "
                            + Text.reason(e)
                            + "; pull it again",
                    e);
        }
    }

    static String commandLine(TinySession session) {
        StringJoiner line = new StringJoiner(" ");
        line.add(session.command().isPresent() ? "console=ttyS1,115200" : "console=ttyS0,115200");
        line.add(COMMON);
        if (!session.verbose()) {
            line.add("quiet");
        }
        return line.toString();
    }

    /** Javisor's part of the initramfs: init, its scripts and what to run. */
    static byte[] overlay(TinySession session) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Initramfs initramfs = new Initramfs(bytes);
        initramfs.file("init", 0755, resource("init"));
        initramfs.file("etc/passwd", 0644, ascii("root::0:0:root:/root:/bin/sh\n"));
        initramfs.file("etc/group", 0644, ascii("root:x:0:\n"));
        initramfs.file("etc/hosts", 0644, ascii("127.0.0.1 localhost tiny\n"));
        initramfs.file("etc/hostname", 0644, ascii("tiny\n"));
        initramfs.file("etc/profile", 0644, resource("profile"));
        initramfs.file("etc/acpi/PWRF/00000080", 0755, resource("power-button"));
        initramfs.file("etc/javisor/power", 0755, resource("power"));
        initramfs.file("etc/javisor/lease", 0755, resource("lease"));
        initramfs.file("etc/javisor/control", 0755, resource("control"));
        initramfs.file("etc/javisor/session", 0755, resource(sessionScript(session)));
        initramfs.file(
                "etc/javisor/terminal",
                0644,
                ascii(
                        "rows=%d\ncolumns=%d\nexport TERM=%s\n"
                                .formatted(
                                        session.terminal().rows(),
                                        session.terminal().columns(),
                                        session.terminalType())));
        initramfs.file("etc/inittab", 0644, ascii(inittab(session)));
        if (session.command().isPresent()) {
            initramfs.file("etc/javisor/command", 0755, session.command().get().script());
        }
        initramfs.finish();
        return bytes.toByteArray();
    }

    private static String sessionScript(TinySession session) {
        return session.command()
                .map(
                        command ->
                                switch (command.input()) {
                                    case NONE, PIPE -> "session-pipe";
                                    case TERMINAL -> "session-terminal";
                                })
                .orElse("session-shell");
    }

    /** An entry with a terminal becomes its session's leader, so that Ctrl-C works. */
    private static String inittab(TinySession session) {
        String input =
                session.command()
                        .map(
                                command ->
                                        switch (command.input()) {
                                            case NONE -> "::once:/etc/javisor/session none\n";
                                            case PIPE -> "::once:/etc/javisor/session pipe\n";
                                            case TERMINAL -> "ttyS0::once:/etc/javisor/session\n";
                                        })
                        .orElse("ttyS0::once:/etc/javisor/session\n");
        // The session first: nobody waits for the power button. "Power down" is logged at the
        // highest
        // level; only 0 keeps it off the user's terminal.
        return input
                + "::once:/etc/javisor/power\n"
                + "::ctrlaltdel:/bin/reboot\n"
                + "::shutdown:echo 0 >/proc/sys/kernel/printk\n";
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] resource(String name) {
        try (InputStream in = TinyImage.class.getResourceAsStream("guest/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read this program's own file " + name, e);
        }
    }
}
