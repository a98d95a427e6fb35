package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import java.util.UUID;

/**
 * Starts a cached Debian: its kernel, an initial RAM disk with what the host has to say to this
 * machine, and a command line.
 *
 * <p>The two serial ports are used as {@link TinyImage} does: COM1 is the console, with root logged
 * in, or the command's terminal or output; COM2 is {@link GuestControl} and, beside a command, the
 * console.
 */
public final class DebianImage {
    /**
     * One serial driver slot for each port the machine has; a panic resets at once, so that the
     * host sees it; no keyboard or mouse is searched for; the time stamp counter needs no watching,
     * as it comes from one clock. Mitigations are for processors that speculate, which Javisor's
     * own engines do not.
     */
    private static final String COMMON =
            "8250.nr_uarts=2 panic=-1 i8042.noaux i8042.nokbd tsc=reliable no_timer_check"
                    + " mitigations=off";

    private DebianImage() {}

    /**
     * What to boot.
     *
     * @throws ImageException {@code CACHE} when the image cannot be read
     */
    public static BootFiles bootFiles(CachedImage image, DebianSession session) {
        try {
            UUID root =
                    image.facts()
                            .map(DiskFacts::root)
                            .orElseThrow(() -> new IOException("it has no disk"));
            return new BootFiles(
                    image.bootKernel(),
                    initrd(image.initramfs(), seed(session)),
                    commandLine(session, root));
        } catch (IOException e) {
            throw new ImageException(
                    ImageException.Code.CACHE,
                    "Cannot read the image "
                            + image.name()
                            + ": "
                            + Text.reason(e)
                            + "; build it again",
                    e);
        }
    }

    static String rootWords(UUID root) {
        return "console=ttyS0,115200 root=UUID=" + root + " " + COMMON;
    }

    static String commandLine(DebianSession session, UUID root) {
        StringJoiner line = new StringJoiner(" ");
        String console = session.command().isPresent() ? "console=ttyS1,115200" : "";
        line.add(
                session.command().isPresent()
                        ? rootWords(root).replace("console=ttyS0,115200", console)
                        : rootWords(root));
        if (!session.verbose()) {
            line.add("quiet");
        }
        // The kernel is quiet, but a boot that takes a while shows that it goes on.
        line.add("systemd.show_status=true");
        // What takes seconds elsewhere may take minutes where every instruction is interpreted.
        line.add("systemd.default_timeout_start_sec=900");
        line.add("systemd.default_device_timeout_sec=900");
        // Its generator complains where there is no vsock device.
        line.add("systemd.ssh_auto=no");
        if (session.command().isPresent()) {
            line.add("systemd.mask=serial-getty@ttyS0.service");
            line.add("systemd.mask=serial-getty@ttyS1.service");
        } else {
            line.add("systemd.tty.rows.ttyS0=" + session.terminal().rows());
            line.add("systemd.tty.columns.ttyS0=" + session.terminal().columns());
            line.add("systemd.tty.term.ttyS0=" + session.terminalType());
        }
        return line.toString();
    }

    /** The image's initramfs, our init and more archives behind it. */
    static byte[] initrd(Path initramfs, byte[] more) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(Files.readAllBytes(initramfs));
        Initramfs init = new Initramfs(bytes);
        init.file("init", 0755, DebianDisk.resource("init"));
        init.finish();
        bytes.writeBytes(more);
        return bytes.toByteArray();
    }

    /** What the root file system is given before its init starts. */
    static byte[] seed(DebianSession session) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Initramfs seed = new Initramfs(bytes);
        seed.file("seed/apply", 0755, DebianDisk.resource("apply"));
        seed.file("seed/await-network", 0755, DebianDisk.resource("await-network"));
        seed.file("seed/cloud.cfg", 0644, DebianDisk.resource("cloud.cfg"));
        seed.file("seed/control", 0755, DebianDisk.resource("control"));
        seed.file(
                "seed/javisor-booted.service", 0644, DebianDisk.resource("javisor-booted.service"));
        session.seed().write(seed);
        if (session.command().isPresent()) {
            GuestCommand command = session.command().get();
            seed.file(
                    "seed/terminal",
                    0644,
                    ascii(
                            "rows=%d\ncolumns=%d\nexport TERM=%s\ninput=%s\nkept=%s\n"
                                    .formatted(
                                            session.terminal().rows(),
                                            session.terminal().columns(),
                                            session.terminalType(),
                                            command.input() == GuestCommand.Input.PIPE
                                                    ? "pipe"
                                                    : "none",
                                            session.kept() ? "yes" : "no")));
            String script =
                    switch (command.input()) {
                        case NONE, PIPE -> "session-pipe";
                        case TERMINAL -> "session-terminal";
                    };
            seed.file("seed/session", 0755, DebianDisk.resource(script));
            seed.file("seed/leave", 0755, DebianDisk.resource("leave"));
            seed.file("seed/command", 0755, command.script());
            seed.file(
                    "seed/javisor-command.service",
                    0644,
                    DebianDisk.resource("javisor-command.service"));
        }
        seed.finish();
        return bytes.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
