package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskCommandsTest {
    @TempDir private Path directory;
    private CliFixture cli;
    private Path raw;
    private byte[] contents;

    @BeforeEach
    void makeDisk() throws IOException {
        cli = new CliFixture(directory);
        raw = directory.resolve("disk.raw");
        contents = new byte[1 << 20];
        new Random(1).nextBytes(contents);
        Arrays.fill(contents, 200_000, 900_000, (byte) 0);
        Files.write(raw, contents);
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.contains("qcow2"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void contentsSurvive_whenConvertedThereAndBack() throws IOException {
        for (String options : List.of("cluster_size=4k", "compression_type=zstd,extended_l2=on")) {
            assertThat(
                            cli.run(
                                    "image",
                                    "convert",
                                    "--force",
                                    "-c",
                                    "-o",
                                    options,
                                    raw.toString(),
                                    file("a.qcow2")))
                    .as(cli.errors().toString())
                    .isZero();
            assertThat(cli.run("image", "check", file("a.qcow2"))).isZero();
            assertThat(cli.run("image", "convert", "--force", file("a.qcow2"), file("b.raw")))
                    .isZero();
            assertThat(Files.readAllBytes(directory.resolve("b.raw"))).isEqualTo(contents);
        }
        assertThat(names()).containsExactly("a.qcow2");
    }

    @Test
    void infoShowsSizeAndWhatLiesUnderneath_whenAnOverlayIsMade() {
        assertThat(cli.run("image", "create", "-b", "disk.raw", "-F", "raw", file("o.qcow2")))
                .as(cli.errors().toString())
                .isZero();
        assertThat(cli.run("image", "resize", file("o.qcow2"), "+1M")).isZero();
        assertThat(cli.run("image", "info", file("o.qcow2"))).isZero();
        assertThat(cli.output()).contains("2 MiB", "lies on", "disk.raw", "qcow2");
    }

    @Test
    void importedDiskIsListed_whenNamed() throws IOException {
        assertThat(cli.run("image", "import", raw.toString(), "--name", "mine")).isZero();
        assertThat(cli.errors()).singleElement().asString().contains("mine is in");
        assertThat(cli.run("image", "ls")).isZero();
        assertThat(cli.output().lines()).anyMatch(line -> line.startsWith("mine "));
        assertThat(cli.run("image", "import", raw.toString(), "--name", "mine")).isEqualTo(2);
    }

    @Test
    void oneLineAndAStatusTellWhatIsWrong_whenItCannotBeDone() throws IOException {
        expect(1, "no such file", "info", file("missing"));
        expect(2, "exists already", "create", raw.toString(), "1G");
        expect(2, "cluster size", "create", "-o", "cluster_size=3k", file("x.qcow2"), "1G");
        expect(2, "not an option", "create", "-o", "colour=red", file("x.qcow2"), "1G");
        expect(2, "not a size", "create", file("x.qcow2"), "big");
        expect(2, "too large", "create", "-o", "cluster_size=512", file("x.qcow2"), "1T");
        expect(2, "how large", "create", file("x.qcow2"));
        expect(1, "no such file", "create", "-b", "nothing", file("x.qcow2"));
        expect(2, "cut off", "resize", raw.toString(), "512k");
        expect(1, "nothing that could be checked", "check", raw.toString());
        expect(2, "cannot be compressed", "convert", "-c", raw.toString(), file("x.raw"));
        expect(1, "no snapshots", "convert", "--snapshot", "s", raw.toString(), file("x.qcow2"));
        expect(2, "not a name", "import", raw.toString(), "--name", "../evil");
        assertThat(names()).isEmpty();
    }

    private void expect(int status, String words, String... arguments) {
        cli.err.reset();
        String[] all = new String[arguments.length + 1];
        all[0] = "image";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        assertThat(cli.run(all)).as(cli.errors().toString()).isEqualTo(status);
        assertThat(cli.errors()).singleElement().asString().contains(words);
    }
}
