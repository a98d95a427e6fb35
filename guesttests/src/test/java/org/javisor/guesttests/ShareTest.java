package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.javisor.machine.ShareSpec;
import org.javisor.machine.VirtioDevices;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Folders of the host under Linux' own 9P client, which Debian's cloud kernel does without. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ShareTest {
    private static final int CPUS = 2;

    @TempDir static Path host;
    private static Path source;
    private static Path work;
    private DebianGuest guest;

    @BeforeAll
    void boot() throws IOException, InterruptedException {
        source = Files.createDirectory(host.resolve("source"));
        work = Files.createDirectory(host.resolve("work"));
        Files.writeString(host.resolve("secret"), "secret");
        Files.writeString(source.resolve("hello"), "hello from the host\n");
        Files.createSymbolicLink(source.resolve("out"), host.resolve("secret"));
        Files.createSymbolicLink(source.resolve("dangling"), Path.of("/no/where"));
        guest =
                DebianGuest.start(
                                "tiny:generic",
                                config ->
                                        config.cpus(CPUS)
                                                .device(
                                                        VirtioDevices.share(
                                                                0,
                                                                new ShareSpec(
                                                                        source, "src", false)))
                                                .device(
                                                        VirtioDevices.share(
                                                                1,
                                                                new ShareSpec(work, "kept", true))))
                        .awaitPrompt();
    }

    @AfterAll
    void end() {
        if (guest != null) {
            guest.close();
        }
    }

    private String run(String command) throws InterruptedException {
        return guest.run(command).output().strip();
    }

    @Test
    void readsTheHostsFiles_andNothingElse() throws InterruptedException {
        assertThat(run("cat /mnt/src/hello")).isEqualTo("hello from the host");
        assertThat(run("ls -1 /mnt/src")).isEqualTo("dangling\nhello\nout");
        assertThat(run("cat /mnt/src/out 2>&1")).contains("No such file");
        assertThat(run("cat /mnt/src/dangling 2>&1")).contains("No such file");
        assertThat(run("readlink /mnt/src/dangling")).isEqualTo("/no/where");
        assertThat(run("cat /mnt/src/../secret 2>&1")).contains("No such file");
        run("echo no > /mnt/src/hello; echo no > /mnt/src/new; rm /mnt/src/hello");
        assertThat(run("mkdir /mnt/src/new 2>&1")).contains("Read-only file system");
        assertThat(source.resolve("hello")).hasContent("hello from the host\n");
    }

    @Test
    void writesTheHostsFiles_whenItMay() throws InterruptedException, IOException {
        run(
                "cd /mnt/kept; mkdir -p a/b; echo one > a/b/file; echo two >> a/b/file; ln -s b a/l;"
                        + " mv a/b/file a/l/moved; chmod 640 a/b/moved; touch -d @86400 a/b/moved;"
                        + " truncate -s 1M big; cd /");
        Path moved = work.resolve("a/b/moved");
        assertThat(moved).hasContent("one\ntwo\n");
        assertThat(Files.getLastModifiedTime(moved).toMillis()).isEqualTo(86_400_000);
        assertThat(Files.getPosixFilePermissions(moved)).hasSize(3);
        assertThat(Files.readSymbolicLink(work.resolve("a/l"))).hasToString("b");
        assertThat(Files.size(work.resolve("big"))).isEqualTo(1 << 20);
        assertThat(
                        run(
                                "cp /bin/busybox /mnt/kept/busybox && cmp /bin/busybox /mnt/kept/busybox && echo same"))
                .isEqualTo("same");
        assertThat(run("/mnt/kept/busybox echo runs")).isEqualTo("runs");
        run("chmod u+s /mnt/kept/busybox; mknod /mnt/kept/null c 1 3");
        assertThat((int) Files.getAttribute(work.resolve("busybox"), "unix:mode") & 06000).isZero();
        assertThat(work.resolve("null")).doesNotExist();
        assertThat(run("df /mnt/kept | grep -c kept")).isEqualTo("1");
    }

    @Test
    void keepsEverything_whenManyWorkAtOnce() throws InterruptedException, IOException {
        run("mkdir /mnt/kept/many");
        run(
                "for p in 1 2 3 4; do (for i in $(seq 25); do d=/mnt/kept/many/$p.$i; mkdir $d.tmp;"
                        + " seq $i > $d.tmp/f; echo $p $i >> /mnt/kept/many/log; mv $d.tmp $d; done)"
                        + " & done; wait");
        try (Stream<Path> made = Files.list(work.resolve("many"))) {
            assertThat(made).hasSize(101);
        }
        List<String> log = Files.readAllLines(work.resolve("many/log"));
        assertThat(log).hasSize(100).doesNotHaveDuplicates();
        assertThat(run("rm -r /mnt/kept/many && ls /mnt/kept | grep -c many")).isEqualTo("0");
    }
}
