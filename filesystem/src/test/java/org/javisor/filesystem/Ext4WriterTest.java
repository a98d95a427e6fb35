package org.javisor.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Ext4WriterTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
    private static final UUID ID = UUID.fromString("6a766973-6f72-4000-8000-0123456789ab");
    private static final Attributes PLAIN = Attributes.ofRoot(0644, TIME);
    private static final Attributes FOLDER = Attributes.ofRoot(0755, TIME);

    @TempDir Path directory;

    private interface Content {
        void write(Ext4Writer writer) throws IOException;
    }

    private Path made(long size, Content content) throws IOException {
        Path image = directory.resolve("image");
        try (Ext4Writer writer = Ext4Writer.create(image, Ext4Options.of(size, "test", ID, TIME))) {
            content.write(writer);
            writer.finish();
        }
        return image;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static FileSystemException.Code code(FileSystemException e) {
        return e.code();
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                8L << 20,
                15L << 20,
                64L << 20,
                (128L << 20) + 4096,
                (256L << 20) + (9L << 20) + 777,
                4L << 30,
                100L << 30
            })
    void fsckFindsNothing_whenEmpty(long size) throws IOException {
        Path image = made(size, writer -> {});
        assertThat(Files.size(image)).isLessThanOrEqualTo(size);
        Peer.check(image);
    }

    @Test
    void filesReadBack_whenSizesLieAroundBlockBorders() throws IOException {
        Random random = new Random(4);
        int[] sizes = {0, 1, 4095, 4096, 4097, 300_000, 9 << 20};
        byte[][] contents = new byte[sizes.length][];
        Path image =
                made(
                        64L << 20,
                        writer -> {
                            for (int i = 0; i < sizes.length; i++) {
                                contents[i] = new byte[sizes[i]];
                                random.nextBytes(contents[i]);
                                writer.file("d/f" + i, PLAIN, contents[i]);
                            }
                        });
        Peer.check(image);
        for (int i = 0; i < sizes.length; i++) {
            Path out = directory.resolve("out" + i);
            Peer.debugfs(image, "dump /d/f" + i + " " + out);
            assertThat(Files.readAllBytes(out)).isEqualTo(contents[i]);
        }
    }

    @Test
    void attributesReadBack_whenOwnersAndTimesAreLarge() throws IOException {
        Instant late = Instant.parse("2040-01-01T00:00:00Z");
        Path image =
                made(
                        16L << 20,
                        writer ->
                                writer.file(
                                        "/f",
                                        new Attributes(04755, 70_000, 4_000_000_000L, late),
                                        ascii("x")));
        Peer.check(image);
        assertThat(Peer.debugfs(image, "stat /f"))
                .containsPattern("Mode: +04755")
                .containsPattern("User: +70000 +Group: +4000000000|Group: -294967296")
                .contains("mtime: 0x83aa7e80".substring(0, 9));
    }

    @Test
    void linksAndNodesReadBack_whenOfEveryKind() throws IOException {
        String longTarget = "far/".repeat(30) + "away";
        Path image =
                made(
                        16L << 20,
                        writer -> {
                            writer.symbolicLink("short", PLAIN, "target");
                            writer.symbolicLink("long", PLAIN, longTarget);
                            writer.file("one", PLAIN, ascii("same"));
                            writer.hardLink("two", "one");
                            writer.characterDevice("null", PLAIN, 1, 3);
                            writer.blockDevice("disk", PLAIN, 259, 70_000);
                            writer.fifo("pipe", PLAIN);
                        });
        Peer.check(image);
        assertThat(Peer.debugfs(image, "stat short")).contains("Fast link dest: \"target\"");
        assertThat(Peer.debugfs(image, "cat long")).contains(longTarget);
        assertThat(Peer.debugfs(image, "stat two")).containsPattern("Links: +2");
        assertThat(Peer.debugfs(image, "stat null")).containsPattern("major.* 01:03");
        assertThat(Peer.debugfs(image, "stat disk")).containsPattern("major.* 259:70000");
        assertThat(Peer.debugfs(image, "stat pipe")).contains("FIFO");
    }

    @Test
    void attributesOfSecurityReadBack_whenTheyFit() throws IOException {
        byte[] capability = new byte[20];
        capability[3] = 2;
        Path image =
                made(
                        16L << 20,
                        writer -> {
                            writer.file("f", PLAIN, ascii("x"));
                            writer.extendedAttribute("f", "security.capability", capability);
                            writer.extendedAttribute("f", "user.a", ascii("b"));
                            assertThatExceptionOfType(FileSystemException.class)
                                    .isThrownBy(
                                            () ->
                                                    writer.extendedAttribute(
                                                            "f", "user.large", new byte[80]))
                                    .extracting(Ext4WriterTest::code)
                                    .isEqualTo(FileSystemException.Code.CONTENT);
                        });
        Peer.check(image);
        assertThat(Peer.debugfs(image, "ea_list f"))
                .contains("security.capability (20)", "user.a (1)")
                .doesNotContain("large");
    }

    @Test
    void directoriesHoldAll_whenTheyNeedManyBlocks() throws IOException {
        Path image =
                made(
                        64L << 20,
                        writer -> {
                            for (int i = 0; i < 2000; i++) {
                                writer.file("many/a-name-of-some-length-" + i, PLAIN, ascii("x"));
                            }
                        });
        Peer.check(image);
        assertThat(Peer.debugfs(image, "ls -p /many").lines().filter(l -> l.contains("/a-name")))
                .hasSize(2000);
    }

    @Test
    void extentsGrowATree_whenAFileLiesInManyPieces() throws IOException {
        byte[] content = new byte[4096 * 900];
        new Random(5).nextBytes(content);
        Path image =
                made(
                        16L << 20,
                        writer -> {
                            int blocks = (int) (writer.free() / 4096);
                            for (int i = 0; i < blocks - 10; i++) {
                                writer.file("fill" + i, PLAIN, ascii("x"));
                                if (i == 950) {
                                    break;
                                }
                            }
                            writer.file("rest", PLAIN, new byte[(int) writer.free() - 40960]);
                            for (int i = 0; i < 900; i++) {
                                writer.remove("fill" + i);
                                i++;
                            }
                            writer.remove("rest");
                            writer.file("rest", PLAIN, new byte[4096]);
                            writer.file("big", PLAIN, content);
                        });
        Peer.check(image);
        Path out = directory.resolve("out");
        Peer.debugfs(image, "dump /big " + out);
        assertThat(Files.readAllBytes(out)).isEqualTo(content);
    }

    @Test
    void pathsFollowLinks_whenDirectoriesWereMerged() throws IOException {
        Path image =
                made(
                        16L << 20,
                        writer -> {
                            writer.directory("usr/lib", FOLDER);
                            writer.symbolicLink("lib", FOLDER, "usr/lib");
                            writer.directory("lib", FOLDER);
                            writer.directory("lib/modules", FOLDER);
                            writer.file("/lib/modules/one", PLAIN, ascii("1"));
                        });
        Peer.check(image);
        assertThat(Peer.debugfs(image, "cat /usr/lib/modules/one")).contains("1");
        assertThat(Peer.debugfs(image, "stat /lib")).contains("symlink");
    }

    @Test
    void replacedFilesGiveBackTheirSpace_whenWrittenAgain() throws IOException {
        Path image =
                made(
                        16L << 20,
                        writer -> {
                            long before = writer.free();
                            writer.file("f", PLAIN, new byte[1 << 20]);
                            writer.directory("d/e", FOLDER);
                            writer.file("d/e/g", PLAIN, new byte[1 << 20]);
                            writer.file("f", PLAIN, new byte[0]);
                            writer.remove("d");
                            assertThat(writer.free()).isEqualTo(before);
                        });
        Peer.check(image);
    }

    @Test
    void sameBytes_whenTheSameIsWrittenTwice() throws IOException {
        Content content =
                writer -> {
                    writer.file("b", PLAIN, ascii("x"));
                    writer.file("a", PLAIN, ascii("y"));
                };
        byte[] first = Files.readAllBytes(made(8L << 20, content));
        assertThat(Files.readAllBytes(made(8L << 20, content))).isEqualTo(first);
    }

    @Test
    void refusesInOneLine_whenItIsFull() throws IOException {
        made(
                8L << 20,
                writer -> {
                    byte[] content = new byte[(int) writer.free() + 4096];
                    assertThatExceptionOfType(FileSystemException.class)
                            .isThrownBy(() -> writer.file("f", PLAIN, content))
                            .withMessageContaining("full")
                            .extracting(Ext4WriterTest::code)
                            .isEqualTo(FileSystemException.Code.FULL);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "a/../../x", "loop/x", "file/x", "a\0b"})
    void refuses_whenAPathLeadsNowhere(String path) throws IOException {
        made(
                8L << 20,
                writer -> {
                    writer.symbolicLink("loop", PLAIN, "loop");
                    writer.file("file", PLAIN, ascii("x"));
                    assertThatExceptionOfType(FileSystemException.class)
                            .isThrownBy(() -> writer.file(path, PLAIN, ascii("x")))
                            .extracting(Ext4WriterTest::code)
                            .isEqualTo(FileSystemException.Code.PATH);
                });
    }

    @Test
    void refuses_whenContentEndsEarly() throws IOException {
        made(
                8L << 20,
                writer -> {
                    InputStream three = new ByteArrayInputStream(new byte[3]);
                    assertThatExceptionOfType(FileSystemException.class)
                            .isThrownBy(() -> writer.file("f", PLAIN, 4, three))
                            .extracting(Ext4WriterTest::code)
                            .isEqualTo(FileSystemException.Code.CONTENT);
                });
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 4096, (8L << 20) - 1, 9L << 40, Long.MAX_VALUE, -1})
    void refuses_whenTheSizeIsOutsideTheFormat(long size) {
        assertThatExceptionOfType(FileSystemException.class)
                .isThrownBy(() -> made(size, writer -> {}))
                .extracting(Ext4WriterTest::code)
                .isEqualTo(FileSystemException.Code.SIZE);
    }

    @Test
    void randomTreesPassFsck_whenBuiltFromASeed() throws IOException {
        long seed = Long.getLong("javisor.seed", 20261121);
        Random random = new Random(seed);
        Path image = made(96L << 20, writer -> randomTree(writer, random));
        Peer.check(image);
    }

    private static void randomTree(Ext4Writer writer, Random random) throws IOException {
        for (int i = 0; i < 3000; i++) {
            String name = "d" + random.nextInt(20) + "/s" + random.nextInt(5) + "/n";
            String path = name + random.nextInt(60);
            switch (random.nextInt(8)) {
                case 0 -> writer.remove(path);
                case 1 -> writer.symbolicLink(path, PLAIN, "x".repeat(1 + random.nextInt(200)));
                case 2 -> writer.directory(path + "d", FOLDER);
                case 3 -> {
                    writer.file(name + "h", PLAIN, ascii("h"));
                    writer.hardLink(path, name + "h");
                }
                default -> writer.file(path, PLAIN, new byte[random.nextInt(50_000)]);
            }
        }
    }
}
