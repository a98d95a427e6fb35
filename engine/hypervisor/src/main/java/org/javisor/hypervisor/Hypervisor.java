package org.javisor.hypervisor;

import org.javisor.device.Clock;
import org.javisor.memory.GuestMemory;

/** An engine that runs guest instructions. Holds no state of any machine; thread-safe. */
public interface Hypervisor {
    /** The name users choose it by: {@code kvm}, {@code translator}, {@code interpreter}. */
    String name();

    /**
     * The CPUID results this engine can honour for a processor; topology leaves are filled in per
     * vCPU.
     */
    CpuidTable cpuid();

    /**
     * Makes a virtual machine without processors.
     *
     * @param memory the machine's RAM; stays the caller's to close, after the {@link Vm}
     * @param clock drives the TSC
     */
    Vm createVm(GuestMemory memory, Clock clock);
}
