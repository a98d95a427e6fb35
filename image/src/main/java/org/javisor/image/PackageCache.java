package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Packages that were fetched, in files named after their SHA-256. A build that was interrupted
 * finds here what it had fetched; what is found is verified again.
 */
final class PackageCache {
    private static final int AT_ONCE = 4;
    private static final String PART = ".part";

    private final Path directory;
    private final Download download;
    private final ProgressListener listener;

    /**
     * @param download must be usable by several threads; its own progress is not shown
     */
    PackageCache(Path directory, Download download, ProgressListener listener) {
        this.directory = directory;
        this.download = download;
        this.listener = listener;
    }

    /** Where a package is once {@link #fetch} has returned. */
    Path file(PackageRecord record) {
        return directory.resolve(record.sha256() + ".deb");
    }

    /**
     * Fetches what is not there, several at once.
     *
     * @throws ImageException what {@link Download} throws; packages that were complete are kept
     */
    void fetch(List<PackageRecord> records) throws IOException {
        Files.createDirectories(directory);
        long total = records.stream().mapToLong(PackageRecord::size).sum();
        AtomicLong bytes = new AtomicLong();
        AtomicInteger count = new AtomicInteger();
        try (ExecutorService executor = Executors.newFixedThreadPool(AT_ONCE, this::thread)) {
            List<Future<?>> open = new ArrayList<>();
            for (PackageRecord record : records) {
                open.add(
                        executor.submit(
                                () -> {
                                    obtain(record);
                                    tell(
                                            count.incrementAndGet(),
                                            records.size(),
                                            bytes.addAndGet(record.size()),
                                            total);
                                    return record;
                                }));
            }
            try {
                await(open);
            } catch (ImageException | IOException e) {
                executor.shutdownNow();
                throw e;
            }
        }
    }

    private Thread thread(Runnable task) {
        return Thread.ofPlatform().name("fetch").daemon().unstarted(task);
    }

    private static void await(List<Future<?>> open) throws IOException {
        for (Future<?> each : open) {
            try {
                each.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ImageException(
                        ImageException.Code.INTERRUPTED, "Interrupted while fetching packages", e);
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case ImageException known -> throw known;
                    case IOException io -> throw io;
                    default -> throw new IllegalStateException(e.getCause());
                }
            }
        }
    }

    private synchronized void tell(int count, int packages, long bytes, long total) {
        listener.on(
                new ProgressEvent.Step(
                        "Fetched %d of %d packages, %s of %s"
                                .formatted(
                                        count,
                                        packages,
                                        Text.megabytes(bytes),
                                        Text.megabytes(total))));
    }

    private void obtain(PackageRecord record) throws IOException {
        Path target = file(record);
        if (isWhole(target, record)) {
            return;
        }
        Path part = directory.resolve(record.sha256() + PART);
        download.file(record.path(), record.expectation(), part);
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    }

    private static boolean isWhole(Path file, PackageRecord record) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != record.size()) {
            return false;
        }
        MessageDigest digest = Download.sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest()).equals(record.sha256());
    }
}
