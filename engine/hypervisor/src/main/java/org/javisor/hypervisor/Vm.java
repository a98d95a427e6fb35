package org.javisor.hypervisor;

import org.javisor.memory.GuestMemory;

/** One machine's memory and processors inside an engine. */
public interface Vm extends AutoCloseable {
    GuestMemory memory();

    /** TSC ticks a second, the same on every vCPU. */
    long tscFrequency();

    /**
     * Adds a processor, in the state after power-on: vCPU 0 in real mode at the reset vector,
     * others waiting for start-up. To be called before any vCPU runs.
     *
     * @param index 0, 1, 2, …; also the APIC ID
     * @param cpuid what CPUID answers on this processor
     * @param io answers its port and memory-mapped accesses
     */
    Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io);

    /** Figures since creation; may be read at any time from any thread, and is then approximate. */
    EngineStatistics statistics();

    /** All vCPUs must have returned from run. */
    @Override
    void close();
}
