package org.javisor.machine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How much memory this process may use at most, in bytes. */
public final class HostMemory {
    private HostMemory() {}

    /** The host's RAM, or the limit of the control group around this process if that is lower. */
    public static long total() {
        return Math.min(physical(), groupLimit(Path.of("/sys/fs/cgroup/memory.max")));
    }

    private static long physical() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemTotal:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                            .findFirst()
                            .orElseThrow()
                    << 10;
        } catch (IOException | RuntimeException e) {
            // Not Linux: the management bean knows, but costs some 50 ms of class loading.
            return ((com.sun.management.OperatingSystemMXBean)
                            ManagementFactory.getOperatingSystemMXBean())
                    .getTotalMemorySize();
        }
    }

    /** The limit in a cgroup file; no limit if there is none. */
    static long groupLimit(Path file) {
        try {
            return Long.parseLong(Files.readString(file).strip());
        } catch (IOException | NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }
}
