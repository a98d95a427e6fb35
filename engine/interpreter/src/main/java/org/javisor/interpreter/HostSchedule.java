package org.javisor.interpreter;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;

/**
 * How long the host kept the vCPU's thread waiting for a processor: on Linux the second field of
 * /proc/thread-self/schedstat, in nanoseconds; elsewhere nothing is known and 0 is said. Used on
 * that thread only.
 */
final class HostSchedule {
    private static final long INTERVAL_NANOS = 10_000_000;

    private final byte[] buffer = new byte[96];
    private RandomAccessFile file;
    private Thread owner;
    private long lastLook;
    private long lastWaited;

    /** Since the last answer that was not 0; asked often, it looks at most every 10 ms. */
    long waitedSinceLast() {
        long now = System.nanoTime();
        boolean sameThread = owner == Thread.currentThread();
        if (sameThread && now - lastLook < INTERVAL_NANOS) {
            return 0;
        }
        lastLook = now;
        if (!sameThread) {
            open();
            lastWaited = waited();
            return 0;
        }
        long waited = waited();
        long since = waited - lastWaited;
        lastWaited = waited;
        return Math.max(0, since);
    }

    private void open() {
        close();
        owner = Thread.currentThread();
        try {
            file = new RandomAccessFile("/proc/thread-self/schedstat", "r");
        } catch (IOException e) {
            file = null;
        }
    }

    private long waited() {
        if (file == null) {
            return lastWaited;
        }
        try {
            file.seek(0);
            int length = file.read(buffer);
            String[] fields =
                    new String(buffer, 0, Math.max(0, length), StandardCharsets.US_ASCII)
                            .split("[ \\n]");
            return Long.parseLong(fields[1]);
        } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return lastWaited;
        }
    }

    void close() {
        if (file != null) {
            try {
                file.close();
            } catch (IOException e) {
                // Nothing was written to it.
            }
            file = null;
        }
    }
}
