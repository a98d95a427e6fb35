package org.javisor.share;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several at once, well meant and not. */
@Timeout(120)
class P9RaceTest {
    private static final int ROUNDS = Integer.getInteger("javisor.fuzz.rounds", 3000);
    private static final int READ_WRITE = 2;

    @TempDir Path host;

    /**
     * Somebody exchanges a folder and a link to the outside all the time, while others walk through
     * it, read, create and remove.
     */
    @Test
    void neverLeavesTheFolder_whileNamesAreExchangedForLinks() throws Exception {
        Path shared = Files.createDirectory(host.resolve("shared"));
        Path outside = Files.createDirectory(host.resolve("outside"));
        Files.writeString(outside.resolve("file"), "outside");
        Path inside = Files.createDirectory(shared.resolve("inside"));
        Files.writeString(inside.resolve("file"), "inside");
        Path link = Files.createSymbolicLink(shared.resolve("link"), outside);
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger reads = new AtomicInteger();
        try (SharedFolder folder = SharedFolder.open(shared, true);
                P9Session session = folder.newSession();
                ExecutorService pool = Executors.newFixedThreadPool(3)) {
            P9Client.attached(session);
            Future<?> exchange = pool.submit(() -> exchange(shared, inside, link, done));
            List<Future<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                int first = 10 + 10 * i;
                clients.add(pool.submit(attack(new P9Client(session), first, reads)));
            }
            for (Future<Integer> each : clients) {
                assertThat(each.get()).as("reads from outside").isZero();
            }
            done.set(true);
            exchange.get();
        }
        assertThat(outside).isDirectoryNotContaining("glob:**/made*");
        assertThat(outside.resolve("file")).hasContent("outside");
        assertThat(reads).as("reads that met the folder").hasPositiveValue();
    }

    private static Void exchange(Path shared, Path inside, Path link, AtomicBoolean done)
            throws IOException {
        Path name = shared.resolve("name");
        while (!done.get()) {
            Files.move(inside, name);
            Files.move(name, inside);
            Files.move(link, name, StandardCopyOption.ATOMIC_MOVE);
            Files.move(name, link, StandardCopyOption.ATOMIC_MOVE);
        }
        return null;
    }

    private static Callable<Integer> attack(P9Client client, int fid, AtomicInteger reads) {
        return () -> {
            int outside = 0;
            for (int i = 0; i < ROUNDS; i++) {
                String text = client.read(fid, "name/file");
                outside += text.equals("outside") ? 1 : 0;
                if (text.equals("inside")) {
                    reads.incrementAndGet();
                }
                if (client.walk(fid, "name") == 1) {
                    client.send(P9Type.UNLINKAT, fid, "file-none", 0);
                    client.send(P9Type.LCREATE, fid, "made" + fid + i, READ_WRITE, 0644, 0);
                    client.send(P9Type.CLUNK, fid);
                }
            }
            return outside;
        };
    }

    @Test
    void losesNothing_whenManyWriteAtOnce() throws Exception {
        Path shared = Files.createDirectory(host.resolve("shared"));
        int threads = 4;
        int lines = 200;
        try (SharedFolder folder = SharedFolder.open(shared, true);
                P9Session session = folder.newSession();
                ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            P9Client.attached(session);
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int fid = 1 + t;
                all.add(pool.submit(() -> append(new P9Client(session), fid, lines)));
            }
            for (Future<?> each : all) {
                each.get();
            }
        }
        List<String> written = Files.readAllLines(shared.resolve("log"));
        assertThat(written).hasSize(threads * lines).doesNotHaveDuplicates();
        assertThat(Files.list(shared).toList()).hasSize(1);
    }

    private static void append(P9Client client, int fid, int lines) {
        int append = 0x400;
        int create = 0x40;
        for (int i = 0; i < lines; i++) {
            client.walk(fid, "");
            client.ok(P9Type.LCREATE, fid, "log", create | append | READ_WRITE, 0644, 0);
            client.write(fid, 0, "%d line %d%n".formatted(fid, i));
            client.ok(P9Type.CLUNK, fid);
            client.ok(P9Type.MKDIR, 0, "d" + fid, 0755, 0);
            client.ok(P9Type.RENAMEAT, 0, "d" + fid, 0, "e" + fid);
            client.ok(P9Type.UNLINKAT, 0, "e" + fid, 0x200);
        }
    }
}
