package org.javisor.machine;

import java.time.Duration;
import java.util.Map;
import org.javisor.hypervisor.EngineStatistics;

/**
 * Figures of a machine since its creation, approximate while it runs.
 *
 * @param engineName which engine
 * @param machineTime how long the machine has run, pauses excluded
 * @param portAccesses accesses to I/O ports by device
 * @param mmioAccesses accesses to memory-mapped registers by device; local APICs are one device
 * @param resets how often the machine has started over
 */
public record MachineStatistics(
        String engineName,
        EngineStatistics engine,
        Duration machineTime,
        Map<String, Long> portAccesses,
        Map<String, Long> mmioAccesses,
        long resets) {
    public MachineStatistics {
        portAccesses = Map.copyOf(portAccesses);
        mmioAccesses = Map.copyOf(mmioAccesses);
    }
}
