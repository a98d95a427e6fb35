package org.javisor.translator;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The map of translated code that perf reads, {@code /tmp/perf-PID.map}: a line for each block,
 * with address and size in hexadecimal and a name that tells the guest's address and mode (Linux,
 * tools/perf/Documentation/jit-interface.txt). A line may stand for code that has been dropped
 * since; where two overlap, perf takes either.
 */
final class PerfMap implements AutoCloseable {
    private final BufferedWriter writer;
    private final Path file;

    private PerfMap(Path file, BufferedWriter writer) {
        this.file = file;
        this.writer = writer;
    }

    /** Where perf looks for this process's. */
    static Path usualFile() {
        return Path.of("/tmp", "perf-" + ProcessHandle.current().pid() + ".map");
    }

    /**
     * Opens the map, adding to what other machines of this process have written.
     *
     * @throws UncheckedIOException if the file cannot be written
     */
    static PerfMap open(Path file) {
        try {
            return new PerfMap(
                    file,
                    Files.newBufferedWriter(
                            file,
                            StandardCharsets.US_ASCII,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /**
     * Tells of the code around translated code.
     *
     * @param start of its first byte
     */
    void add(Stubs stubs, long start) {
        long lookUp = stubs.lastReturn[0];
        long renew = stubs.renewSlot(0, false, 1);
        long access = stubs.firstAccess();
        add(start, access - start, "javisor-enter-leave");
        add(access, lookUp - access, "javisor-access");
        add(lookUp, renew - lookUp, "javisor-look-up");
        add(renew, start + stubs.size - renew, "javisor-renew-slot");
    }

    private synchronized void add(long address, long size, String name) {
        try {
            writer.write("%x %x %s%n".formatted(address, size, name));
            // To be read at any time, and after whatever end.
            writer.flush();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /**
     * Tells of a block.
     *
     * @param linear where the guest has it, the first time that it is run
     */
    void add(TranslatedBlock block, long linear) {
        String mode = Context.user(block.context) ? "user" : "kernel";
        add(block.indirectEntry, block.size, "guest-%s-%x".formatted(mode, linear));
    }

    @Override
    public synchronized void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private static UncheckedIOException failed(Path file, IOException cause) {
        return new UncheckedIOException("Cannot write " + file + " for perf", cause);
    }
}
