package org.javisor.hypervisor;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Figures of one machine's processors taken together.
 *
 * @param instructions guest instructions completed; an iteration of a repeated string instruction
 *     does not count
 * @param runNanos host time spent running guest instructions, waiting excluded, summed over vCPUs
 * @param counters further counts by name: exits by kind, interrupts, exceptions, TLB misses, …
 */
public record EngineStatistics(long instructions, long runNanos, SortedMap<String, Long> counters) {
    public EngineStatistics {
        counters = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(counters));
    }
}
