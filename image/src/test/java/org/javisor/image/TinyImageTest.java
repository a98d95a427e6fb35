package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class TinyImageTest {

    @TempDir private Path directory;

    private static Map<String, String> overlay(TinySession session) throws IOException {
        Map<String, String> files = new HashMap<>();
        try (CpioArchiveInputStream in =
                new CpioArchiveInputStream(new ByteArrayInputStream(TinyImage.overlay(session)))) {
            for (CpioArchiveEntry entry; (entry = in.getNextEntry()) != null; ) {
                files.put(
                        entry.getName(),
                        new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
            }
        }
        return files;
    }

    @Test
    void consoleIsTheFirstPort_whenSessionIsAShell() throws IOException {
        TinySession session = TinySession.shell(new TerminalSize(50, 132), "xterm-256color");
        assertThat(TinyImage.commandLine(session)).startsWith("console=ttyS0,").endsWith(" quiet");
        assertThat(overlay(session))
                .containsKeys("init", "etc/inittab", "etc/javisor/control", "etc/profile")
                .doesNotContainKey("etc/javisor/command")
                .containsEntry(
                        "etc/javisor/terminal",
                        "rows=50\ncolumns=132\nexport TERM=xterm-256color\n");
        assertThat(overlay(session).get("etc/inittab")).startsWith("ttyS0::once:");
    }

    @Test
    void kernelLogStaysOffTheOutput_whenACommandRuns() throws IOException {
        for (GuestCommand.Input input : GuestCommand.Input.values()) {
            TinySession session = TinySession.command(GuestCommand.of(List.of("ls"), input));
            assertThat(TinyImage.commandLine(session)).startsWith("console=ttyS1,");
            assertThat(overlay(session)).containsEntry("etc/javisor/command", "exec 'ls'\n");
        }
    }

    @Test
    void kernelSpeaks_whenSessionIsVerbose() {
        TinySession session = new TinySession(Optional.empty(), TerminalSize.USUAL, "vt100", true);
        assertThat(TinyImage.commandLine(session)).doesNotContain("quiet");
    }

    @Test
    void terminalIsTamed_whenHostReportsNonsense() {
        assertThat(new TerminalSize(0, 1_000_000)).isEqualTo(new TerminalSize(1, 9999));
        assertThat(TinySession.shell(TerminalSize.USUAL, "x; rm -rf /\n").terminalType())
                .isEqualTo("vt100");
    }

    @Test
    void initrdIsBothArchives_whenImageIsCached() throws IOException {
        MiniatureMirror mirror = MiniatureMirror.published(directory);
        CachedImage image =
                ImageStore.at(directory.resolve("cache"))
                        .obtain(
                                Catalog.named("tiny"),
                                mirror.settings(),
                                ProgressListener.silent());
        TinySession session = TinySession.shell(TerminalSize.USUAL, "vt100");
        BootFiles files = TinyImage.bootFiles(image, session);
        byte[] base = Files.readAllBytes(image.initramfs());
        assertThat(files.kernel()).isEqualTo(image.kernel());
        assertThat(files.initrd()).startsWith(base).endsWith(TinyImage.overlay(session));
        Files.delete(image.initramfs());
        assertThatThrownBy(() -> TinyImage.bootFiles(image, session))
                .isInstanceOf(ImageException.class);
    }

    /** The guest's shell is another one, but the quoting rules are POSIX's. */
    @Test
    @Timeout(60)
    void argumentsArriveExactly_whenTheyAreAnyBytes() throws Exception {
        Path shell = Path.of("/bin/sh");
        assumeTrue(Files.isExecutable(shell), "needs a POSIX shell");
        long seed = Long.getLong("javisor.seed", 20261121L);
        Random random = new Random(seed);
        List<byte[]> arguments = new ArrayList<>();
        arguments.add("printf".getBytes(StandardCharsets.US_ASCII));
        arguments.add("%s\\0".getBytes(StandardCharsets.US_ASCII));
        arguments.add("'\"$x`y`\\ \n\t*?~".getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < 300; i++) {
            byte[] argument = new byte[random.nextInt(60)];
            for (int j = 0; j < argument.length; j++) {
                argument[j] =
                        (byte)
                                (random.nextBoolean()
                                        ? "'\\\"$".charAt(j % 4)
                                        : 1 + random.nextInt(255));
            }
            arguments.add(argument);
        }
        GuestCommand command = new GuestCommand(arguments, GuestCommand.Input.NONE);
        Path script = Files.write(directory.resolve("command"), command.script());
        Process process = new ProcessBuilder(shell.toString(), script.toString()).start();
        byte[] output = process.getInputStream().readAllBytes();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        List<byte[]> arrived = GuestCommand.zeroSeparated(output);
        assertThat(arrived).as("seed %d", seed).hasSize(arguments.size() - 2);
        for (int i = 0; i < arrived.size(); i++) {
            assertThat(arrived.get(i)).as("seed %d, %d", seed, i).isEqualTo(arguments.get(i + 2));
        }
    }

    @Test
    void commandIsRefused_whenItCannotBeOne() {
        GuestCommand.Input none = GuestCommand.Input.NONE;
        assertThatThrownBy(() -> GuestCommand.of(List.of(), none))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> GuestCommand.of(List.of("a\0b"), none))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void rawArgumentsAreTaken_whenTheyAgreeWithWhatJavaGave() {
        byte[] latin = {'a', (byte) 0xe9};
        byte[] ascii = {'b'};
        assertThat(GuestCommand.agree(List.of(latin, ascii), List.of("a\ufffd", "b"))).isTrue();
        assertThat(GuestCommand.agree(List.of(latin, ascii), List.of("a\ufffd", "c"))).isFalse();
        GuestCommand other = GuestCommand.ofProcess(List.of("\u00e9"), GuestCommand.Input.NONE);
        assertThat(other.arguments().getFirst()).isNotEmpty();
    }

    @Test
    void appletsAreFound_whenTableStandsInTheProgram() {
        assertThat(BusyboxApplets.of(MiniatureMirror.busybox()))
                .startsWith("[", "[[", "ax")
                .endsWith("zx");
        assertThat(BusyboxApplets.of(new byte[1000])).isEmpty();
        assertThat(BusyboxApplets.of("x[\0[[\0a".getBytes(StandardCharsets.US_ASCII))).isEmpty();
    }
}
