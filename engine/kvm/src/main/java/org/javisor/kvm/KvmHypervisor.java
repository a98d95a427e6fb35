package org.javisor.kvm;

import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** The engine that lets the host's processor run the guest through Linux's KVM. */
public final class KvmHypervisor implements Hypervisor {
    private final DirtyTracking tracking;

    public KvmHypervisor() {
        this(DirtyTracking.BITMAP);
    }

    /**
     * @param tracking how dirty pages are to be found
     */
    public KvmHypervisor(DirtyTracking tracking) {
        this.tracking = tracking;
    }

    @Override
    public String name() {
        return "kvm";
    }

    /**
     * @throws KvmException if KVM cannot be used here
     */
    @Override
    public CpuidTable cpuid() {
        try (KvmHandle system = KvmHost.open()) {
            return HostCpuid.supported(system);
        }
    }

    /**
     * @throws KvmException if KVM cannot be used here
     */
    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        try (KvmHandle system = KvmHost.open()) {
            return new KvmVm(system, memory, clock, tracking);
        }
    }
}
