package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * Configures the packages of a new disk inside a guest that has it as its root: their scripts are
 * programs of that system and can run nowhere else.
 */
final class SecondStage {
    private static final int MAX_LINE = 512;
    private static final int MAX_LOG = 8 << 20;

    private final GuestLauncher launcher;
    private final Path log;
    private final ProgressListener listener;
    private final int packages;
    private final ByteArrayOutputStream all = new ByteArrayOutputStream();
    private final StringBuilder line = new StringBuilder();
    private String last = "nothing";
    private int configured;
    private OptionalInt status = OptionalInt.empty();

    /**
     * @param log where to leave what the guest said, if it fails
     * @param packages how many there are to configure
     */
    SecondStage(GuestLauncher launcher, Path log, ProgressListener listener, int packages) {
        this.launcher = launcher;
        this.log = log;
        this.listener = listener;
        this.packages = packages;
    }

    /**
     * Runs it.
     *
     * @throws ImageException {@code SECOND_STAGE}, {@code INTERRUPTED}
     */
    void run(Path kernel, Path initramfs, Path disk, UUID root) throws IOException {
        GuestControl control = new GuestControl(new Control());
        BootFiles files =
                new BootFiles(
                        kernel,
                        DebianImage.initrd(initramfs, new byte[0]),
                        DebianImage.rootWords(root) + " quiet javisor.second-stage");
        try {
            launcher.run(files, disk, this::console, control::received);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ImageException(
                    ImageException.Code.INTERRUPTED,
                    "Interrupted while the guest configured its packages",
                    e);
        }
        if (status.isEmpty() || status.getAsInt() != 0) {
            throw failed();
        }
    }

    private ImageException failed() throws IOException {
        Files.write(log, all.toByteArray());
        String how =
                status.isEmpty()
                        ? "ended before it was done"
                        : "ended with status " + status.getAsInt();
        return new ImageException(
                ImageException.Code.SECOND_STAGE,
                "The guest that configures the packages "
                        + how
                        + "; it said last: "
                        + Text.printable(last)
                        + "; all of it is in "
                        + log);
    }

    private void console(byte[] bytes, int offset, int length) {
        if (all.size() < MAX_LOG) {
            all.write(bytes, offset, length);
        }
        for (char c :
                new String(bytes, offset, length, StandardCharsets.ISO_8859_1).toCharArray()) {
            if (c == '\n') {
                endLine();
            } else if (line.length() < MAX_LINE) {
                line.append(c);
            }
        }
    }

    private void endLine() {
        String text = line.toString().strip();
        line.setLength(0);
        if (!text.isEmpty()) {
            last = text;
            // What dpkg says of each package before it runs its script.
            if (text.startsWith("Setting up ") && configured < packages) {
                configured++;
            }
            listener.on(
                    new ProgressEvent.Step(
                            "Configuring %d of %d: %s"
                                    .formatted(configured, packages, Text.printable(text))));
        }
    }

    private final class Control implements GuestControl.Listener {
        @Override
        public void ready() {}

        @Override
        public void inputWanted() {}

        @Override
        public void exited(int code) {
            status = OptionalInt.of(code);
        }

        @Override
        public void log(String text) {}
    }
}
