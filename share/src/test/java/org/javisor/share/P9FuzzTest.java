package org.javisor.share;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random requests, most of them nearly right. Each gets an answer; nothing outside of the folder is
 * read or changed.
 *
 * <p>{@code -Djavisor.fuzz.cases=N} for longer runs, {@code -Djavisor.fuzz.seed=N} to repeat one.
 */
@Timeout(3600)
class P9FuzzTest {
    private static final int CASES = Integer.getInteger("javisor.fuzz.cases", 30_000);
    private static final long SEED = Long.getLong("javisor.fuzz.seed", 20260101);

    private static final int[] TYPES = {
        8, 12, 14, 16, 18, 20, 22, 24, 26, 30, 32, 40, 50, 52, 54, 70, 72, 74, 76, 102, 104, 108,
        110, 110, 110, 110, 116, 118, 120, 122
    };

    private static final String[] NAMES = {
        "a", "b", "c", "dir", "out", "up", "file", "..", ".", "", "a/b", "../x", "x\0y", "proc"
    };

    @TempDir Path host;
    private final SplittableRandom random = new SplittableRandom(SEED);

    @Test
    void answersEverything_andStaysInside() throws IOException {
        System.out.println("9P fuzzed with seed " + SEED + ", " + CASES + " cases");
        Path shared = Files.createDirectory(host.resolve("shared"));
        Path outside = Files.createDirectory(host.resolve("outside"));
        Files.writeString(outside.resolve("file"), "the secret of the host");
        Files.setPosixFilePermissions(
                outside.resolve("file"),
                java.nio.file.attribute.PosixFilePermissions.fromString("rw-r-----"));
        try (SharedFolder folder = SharedFolder.open(shared, true);
                P9Session session = folder.newSession()) {
            P9Client client = P9Client.attached(session);
            for (int i = 0; i < CASES; i++) {
                if (i % 500 == 0) {
                    tidy(shared, outside);
                }
                if (random.nextInt(2000) == 0) {
                    client.send(P9Type.VERSION, 1 << 16, "9P2000.L");
                }
                if (random.nextInt(20) == 0) {
                    client.send(P9Type.ATTACH, random.nextInt(8), -1, "", "", 0);
                }
                P9Client.Answer answer = client.send(request());
                byte[] body = new byte[answer.body().remaining()];
                answer.body().get(0, body);
                assertThat(new String(body, StandardCharsets.ISO_8859_1))
                        .as("case %d", i)
                        .doesNotContain("secret");
            }
        }
        try (Stream<Path> left = Files.list(outside)) {
            assertThat(left).containsExactly(outside.resolve("file"));
        }
        assertThat(outside.resolve("file")).hasContent("the secret of the host");
        assertThat(Files.getPosixFilePermissions(outside.resolve("file"))).hasSize(3);
    }

    /** Links outwards, always there again. */
    private static void tidy(Path shared, Path outside) throws IOException {
        deleteAll(shared);
        Files.createDirectory(shared.resolve("dir"));
        Files.writeString(shared.resolve("dir/file"), "inside");
        Files.createSymbolicLink(shared.resolve("out"), outside);
        Files.createSymbolicLink(shared.resolve("up"), Path.of("../outside"));
        Files.createSymbolicLink(shared.resolve("dir/a"), outside.resolve("file"));
    }

    private static void deleteAll(Path directory) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(directory)) {
            all = new ArrayList<>(walk.toList());
        }
        for (Path path : all.reversed()) {
            if (!path.equals(directory)) {
                Files.delete(path);
            }
        }
    }

    private byte[] request() {
        int type =
                random.nextInt(50) == 0 ? random.nextInt(256) : TYPES[random.nextInt(TYPES.length)];
        byte[] message = P9Client.message(type, fields(type));
        int damage = random.nextInt(12);
        if (damage == 0) {
            message[random.nextInt(message.length)] = (byte) random.nextInt();
        } else if (damage == 1) {
            message = java.util.Arrays.copyOf(message, random.nextInt(message.length + 1));
        }
        return message;
    }

    private Object[] fields(int type) {
        return switch (type) {
            case P9Type.LOPEN -> new Object[] {fid(), flags()};
            case P9Type.LCREATE -> new Object[] {fid(), name(), flags(), mode(), 0};
            case P9Type.SYMLINK -> new Object[] {fid(), name(), "../outside/" + name(), 0};
            case P9Type.MKNOD -> new Object[] {fid(), name(), random.nextInt(), 1, 3, 0};
            case P9Type.RENAME -> new Object[] {fid(), fid(), name()};
            case P9Type.GETATTR -> new Object[] {fid(), random.nextLong()};
            case P9Type.SETATTR ->
                    new Object[] {
                        fid(), random.nextInt(), mode(), 1, 1, size(), 1L, 2L, number(), number()
                    };
            case P9Type.READDIR, P9Type.READ -> new Object[] {fid(), number(), random.nextInt()};
            case P9Type.WRITE -> write();
            case P9Type.LOCK ->
                    new Object[] {fid(), (byte) random.nextInt(4), 0, number(), number(), 1, "c"};
            case P9Type.GETLOCK ->
                    new Object[] {fid(), (byte) random.nextInt(4), number(), number(), 1, "c"};
            case P9Type.LINK -> new Object[] {fid(), fid(), name()};
            case P9Type.MKDIR -> new Object[] {fid(), name(), mode(), 0};
            case P9Type.RENAMEAT -> new Object[] {fid(), name(), fid(), name()};
            case P9Type.UNLINKAT -> new Object[] {fid(), name(), random.nextInt()};
            case P9Type.WALK -> walk();
            default -> new Object[] {fid(), random.nextInt()};
        };
    }

    private Object[] walk() {
        int count = random.nextInt(4);
        List<Object> fields = new ArrayList<>(List.of(fid(), fid(), (short) count));
        for (int i = 0; i < count; i++) {
            fields.add(name());
        }
        return fields.toArray();
    }

    private Object[] write() {
        int length = random.nextInt(100);
        int said = random.nextInt(10) == 0 ? random.nextInt() : length;
        return new Object[] {fid(), (long) random.nextInt(1 << 16), said, new byte[length]};
    }

    private int fid() {
        return random.nextInt(8);
    }

    private int flags() {
        return random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(3) | 0x40;
    }

    private int mode() {
        return random.nextInt(4) == 0 ? random.nextInt() : 0755;
    }

    private long size() {
        return random.nextInt(8) == 0 ? -1 - random.nextInt(100) : random.nextInt(1 << 16);
    }

    private long number() {
        return random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(1000);
    }

    private String name() {
        return NAMES[random.nextInt(NAMES.length)];
    }
}
