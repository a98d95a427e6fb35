package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuestSeedTest {
    private static final String KEY = "ssh-ed25519 AAAAC3Nz+/= someone@there";

    private static GuestSeed seed(String host, String user, String key) {
        return new GuestSeed(
                "i-1",
                Optional.of(host),
                Optional.of(user),
                List.of(key),
                List.of("echo 'a b'"),
                Optional.empty());
    }

    private static DebianSession session(GuestSeed seed, Optional<GuestCommand> command) {
        return new DebianSession(seed, command, TerminalSize.USUAL, "xterm", false, false);
    }

    /** What the archive holds, as text; its names and contents stand in it as they are. */
    private static String text(DebianSession session) throws IOException {
        return new String(DebianImage.seed(session), StandardCharsets.ISO_8859_1);
    }

    @Test
    void settingsTravelForBothReaders_whenTheyAreGiven() throws IOException {
        String text = text(session(seed("web1", "ann", KEY), Optional.empty()));
        assertThat(text)
                .contains("seed/hostname", "web1\n", "seed/user", "ann\n", KEY + "\n")
                .contains("echo 'a b'\n", "seed/javisor-first-boot.service")
                .contains("instance-id: i-1\nlocal-hostname: web1\n")
                .contains("#cloud-config\nusers:\n  - name: ann\n", "- \"" + KEY + "\"\n")
                .doesNotContain("seed/session");
    }

    @Test
    void nothingIsAsked_whenNothingWasGiven() throws IOException {
        assertThat(text(session(GuestSeed.of("i-2"), Optional.empty())))
                .contains("seed/apply", "i-2\n")
                .doesNotContain(
                        "seed/hostname\0", "seed/user\0", "seed/authorized_keys\0", "first-boot\0");
    }

    @Test
    void userDataGoesAsItIs_whenTheUserHasSome() throws IOException {
        GuestSeed seed =
                new GuestSeed(
                        "i-3",
                        Optional.empty(),
                        Optional.of("ann"),
                        List.of(),
                        List.of(),
                        Optional.of("#!/bin/sh\necho mine\n".getBytes(StandardCharsets.UTF_8)));
        assertThat(files(seed))
                .containsEntry("seed/user-data", "#!/bin/sh\necho mine\n")
                .containsEntry(
                        "seed/vendor-data",
                        """
                        #cloud-config
                        users:
                          - name: ann
                            shell: /bin/bash
                            sudo: ALL=(ALL) NOPASSWD:ALL
                        """);
    }

    /**
     * cloud-init's NoCloud data source takes a seed only if it has {@code meta-data} and {@code
     * user-data}, each of which it reads as YAML; the keys are those of its modules cc_users_groups
     * and cc_ssh.
     */
    @Test
    void cloudInitFindsWhatItReads_whenSettingsAreGiven() throws IOException {
        assertThat(files(seed("web1", "ann", "ssh-ed25519 AAAA a \"b\" \\c")))
                .containsEntry("seed/meta-data", "instance-id: i-1\nlocal-hostname: web1\n")
                .containsEntry(
                        "seed/user-data",
                        """
                        #cloud-config
                        users:
                          - name: ann
                            shell: /bin/bash
                            sudo: ALL=(ALL) NOPASSWD:ALL
                            ssh_authorized_keys:
                              - "ssh-ed25519 AAAA a \\"b\\" \\\\c"
                        disable_root: false
                        ssh_authorized_keys:
                          - "ssh-ed25519 AAAA a \\"b\\" \\\\c"
                        """)
                .doesNotContainKey("seed/vendor-data");
        assertThat(files(GuestSeed.of("i-2")))
                .containsEntry("seed/meta-data", "instance-id: i-2\n")
                .containsEntry("seed/user-data", "#cloud-config\n");
    }

    /**
     * The archive's files, as text (the "newc" format: names and contents padded to four bytes).
     */
    private static Map<String, String> files(GuestSeed seed) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        seed.write(new Initramfs(bytes));
        String all = bytes.toString(StandardCharsets.ISO_8859_1);
        Map<String, String> files = new HashMap<>();
        for (int at = 0; at < all.length(); ) {
            int size = Integer.parseInt(all.substring(at + 54, at + 62), 16);
            int nameSize = Integer.parseInt(all.substring(at + 94, at + 102), 16);
            int start = at + 110 + nameSize + 3 & ~3;
            files.put(
                    all.substring(at + 110, at + 110 + nameSize - 1),
                    all.substring(start, start + size));
            at = start + size + 3 & ~3;
        }
        return files;
    }

    @Test
    void theConsoleMakesRoom_whenACommandNeedsTheFirstPort() throws IOException {
        GuestCommand command = GuestCommand.of(List.of("true"), GuestCommand.Input.PIPE);
        DebianSession session = session(GuestSeed.of("i-4"), Optional.of(command));
        assertThat(DebianImage.commandLine(session, UUID.randomUUID()))
                .contains("console=ttyS1,115200", "systemd.mask=serial-getty@ttyS0.service")
                .doesNotContain("console=ttyS0");
        assertThat(text(session))
                .contains("seed/session", "seed/javisor-command.service", "input=pipe\nkept=no\n");
    }

    @Test
    void theTerminalsTypeStaysOneWord_whenItIsOdd() {
        DebianSession odd =
                new DebianSession(
                        GuestSeed.of("i"),
                        Optional.empty(),
                        TerminalSize.USUAL,
                        "x init=/bin/sh",
                        false,
                        false);
        assertThat(odd.terminalType()).isEqualTo("vt220");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-a", "a.b", "a b", "a\nb", "a/b"})
    void refuses_whenAHostCannotBeCalledSo(String name) {
        assertRefused(() -> seed(name, "ann", KEY));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Ann", "1a", "a b", "a:b", "../a", "a\n"})
    void refuses_whenAUserCannotBeCalledSo(String name) {
        assertRefused(() -> seed("web", name, KEY));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "secret",
                "-----BEGIN OPENSSH PRIVATE KEY-----",
                "ssh-rsa AAAA\nssh-rsa BBBB",
                "command=\"x\" ssh-rsa AAAA"
            })
    void refuses_whenAKeyIsNone(String key) {
        assertRefused(() -> seed("web", "ann", key));
    }

    private static void assertRefused(Runnable making) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(making::run)
                .extracting(ImageException::code)
                .isEqualTo(ImageException.Code.BAD_SEED);
    }
}
