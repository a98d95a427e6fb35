package org.javisor.bench;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * A temporary directory and the processes that were started for the benchmarks. Closing it, from
 * any thread, ends the processes and removes the directory; it then stays closed.
 */
final class Workplace implements AutoCloseable {
    private static final int SECONDS_TO_DIE = 10;

    private final Path directory;
    private final Set<Process> processes = ConcurrentHashMap.newKeySet();
    private boolean closed;

    Workplace() {
        try {
            directory = Files.createTempDirectory("javisor-bench-");
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "Cannot make a temporary directory: " + Text.reason(e),
                    e);
        }
    }

    Path directory() {
        return directory;
    }

    /** A file in the directory with that content. */
    Path write(String name, byte[] content) {
        try {
            return Files.write(directory.resolve(name), content);
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "Cannot write to the temporary directory: " + Text.reason(e),
                    e);
        }
    }

    /**
     * Starts a process, to be ended by {@link #end} or with this workplace.
     *
     * @throws IOException if it cannot be started
     */
    synchronized Process start(ProcessBuilder builder) throws IOException {
        if (closed) {
            throw new IOException("the benchmarks are being ended");
        }
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    /** Ends a process and what it has started, and waits until it is gone. */
    void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        boolean interrupted = Thread.interrupted();
        try {
            boolean ignored = process.waitFor(SECONDS_TO_DIE, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        processes.remove(process);
    }

    synchronized boolean closed() {
        return closed;
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        processes.forEach(this::end);
        try {
            delete();
        } catch (IOException e) {
            // What is left is in the system's temporary directory, which is cleaned by others.
        }
    }

    private void delete() throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path visited, IOException failure)
                            throws IOException {
                        Files.deleteIfExists(visited);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
