package org.javisor.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How long a processor's thread has had the host's processor while it ran the guest: waiting inside
 * the kernel does not count, which only the scheduler's own figures tell.
 */
final class RunTime {
    private volatile long sum;
    private volatile long began = -1;
    private volatile int thread;

    void begin(int threadId) {
        thread = threadId;
        began = onProcessor(threadId);
    }

    void end() {
        long start = began;
        began = -1;
        sum += Math.max(0, onProcessor(thread) - start);
    }

    long nanos() {
        long start = began;
        return start < 0 ? sum : sum + Math.max(0, onProcessor(thread) - start);
    }

    /** The first figure of schedstat (Linux Documentation/scheduler/sched-stats.rst). */
    static long onProcessor(int thread) {
        try {
            String line = Files.readString(Path.of("/proc/self/task/" + thread + "/schedstat"));
            return Long.parseLong(line.substring(0, line.indexOf(' ')));
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }
}
