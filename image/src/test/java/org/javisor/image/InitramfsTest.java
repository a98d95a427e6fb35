package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InitramfsTest {

    private record Entry(long mode, long major, long minor, String content) {}

    private static Map<String, Entry> read(byte[] archive) throws IOException {
        Map<String, Entry> entries = new HashMap<>();
        try (CpioArchiveInputStream in =
                new CpioArchiveInputStream(new ByteArrayInputStream(archive))) {
            for (CpioArchiveEntry entry; (entry = in.getNextEntry()) != null; ) {
                String content = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
                Entry read =
                        new Entry(
                                entry.getMode(),
                                entry.getRemoteDeviceMaj(),
                                entry.getRemoteDeviceMin(),
                                content);
                assertThat(entries.put(entry.getName(), read)).as(entry.getName()).isNull();
                assertThat(entry.getFormat()).isEqualTo((short) 1);
            }
        }
        return entries;
    }

    @Test
    void entriesReadBack_whenWrittenInEveryKind() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Initramfs initramfs = new Initramfs(bytes);
        initramfs.directory("tmp", 01777);
        initramfs.directory("/tmp/", 0700);
        initramfs.file("a/b/c", 0755, "hello".getBytes(StandardCharsets.US_ASCII));
        initramfs.symbolicLink("a/link", "../tmp");
        initramfs.characterDevice("dev/console", 0600, 5, 1);
        initramfs.finish();
        assertThat(bytes.size() % 512).isZero();
        assertThat(read(bytes.toByteArray()))
                .isEqualTo(
                        Map.of(
                                "tmp", new Entry(041777, 0, 0, ""),
                                "a", new Entry(040755, 0, 0, ""),
                                "a/b", new Entry(040755, 0, 0, ""),
                                "a/b/c", new Entry(0100755, 0, 0, "hello"),
                                "a/link", new Entry(0120777, 0, 0, "../tmp"),
                                "dev", new Entry(040755, 0, 0, ""),
                                "dev/console", new Entry(020600, 5, 1, "")));
    }

    @Test
    void headerFollowsTheFormat_whenOneFileIsWritten() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new Initramfs(bytes).file("f", 0644, new byte[] {1, 2, 3});
        String expected =
                "070701" // magic
                        + "00000001" // inode
                        + "000081a4" // mode
                        + "00000000" // uid
                        + "00000000" // gid
                        + "00000001" // links
                        + "00000000" // mtime
                        + "00000003" // file size
                        + "00000000" // device major
                        + "00000000" // device minor
                        + "00000000" // node major
                        + "00000000" // node minor
                        + "00000002" // name size with its zero
                        + "00000000" // checksum, unused
                        + "f\0"
                        + "\1\2\3\0";
        assertThat(bytes.toString(StandardCharsets.ISO_8859_1)).isEqualTo(expected);
    }

    @Test
    void contentReadsBack_whenSizesAndNamesAreRandom() throws IOException {
        long seed = Long.getLong("javisor.seed", 20261121L);
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            Map<String, String> written = new HashMap<>();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            Initramfs initramfs = new Initramfs(bytes);
            for (int i = 0; i < 20; i++) {
                byte[] content = new byte[random.nextInt(300)];
                random.nextBytes(content);
                String name =
                        "d" + random.nextInt(3) + "/" + "n".repeat(1 + random.nextInt(90)) + i;
                initramfs.file(name, 0644, content);
                written.put(name, new String(content, StandardCharsets.ISO_8859_1));
            }
            initramfs.finish();
            Map<String, Entry> read = read(bytes.toByteArray());
            written.forEach(
                    (name, content) ->
                            assertThat(read.get(name).content())
                                    .as("seed %d, %s", seed, name)
                                    .isEqualTo(content));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "a/../b", "a/./b", "a\0b"})
    void pathIsRefused_whenItIsNotPlain(String path) {
        Initramfs initramfs = new Initramfs(new ByteArrayOutputStream());
        assertThatThrownBy(() -> initramfs.file(path, 0644, new byte[0]))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
