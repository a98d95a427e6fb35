package org.javisor.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a check of an image found.
 *
 * @param damages contradictions that can cost data
 * @param leaks clusters that count as used more often than they are: only space is lost
 * @param repaired how many of both have been put right
 * @param usedClusters of the disk that have data of their own in the image
 * @param compressedClusters of those, the compressed ones
 * @param totalClusters of the disk
 * @param clusterSize bytes
 * @param messages the first few findings, a line each
 */
public record CheckReport(
        long damages,
        long leaks,
        long repaired,
        long usedClusters,
        long compressedClusters,
        long totalClusters,
        long clusterSize,
        List<String> messages) {

    /** Whether nothing at all is wrong now. */
    public boolean isClean() {
        return damages + leaks == repaired;
    }

    /** Counts while a check runs. */
    static final class Findings {
        private static final int MAX_MESSAGES = 20;

        private final List<String> messages = new ArrayList<>();
        private long damages;
        private long leaks;
        private long used;
        private long compressed;

        void damage(String message) {
            damage(() -> message);
        }

        /** There can be millions of findings: a line is made only of those that are shown. */
        void damage(Supplier<String> message) {
            damages++;
            note(message);
        }

        void leak(Supplier<String> message) {
            leaks++;
            note(message);
        }

        private void note(Supplier<String> message) {
            if (messages.size() < MAX_MESSAGES) {
                messages.add(message.get());
            }
        }

        void used(boolean isCompressed) {
            used++;
            compressed += isCompressed ? 1 : 0;
        }

        long damages() {
            return damages;
        }

        long leaks() {
            return leaks;
        }

        CheckReport report(QcowHeader header, long repaired) {
            return new CheckReport(
                    damages,
                    leaks,
                    repaired,
                    used,
                    compressed,
                    header.guestClusters(),
                    header.clusterSize(),
                    List.copyOf(messages));
        }
    }
}
