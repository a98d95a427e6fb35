package org.javisor.kvm;

import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** The engine that lets the host's processor run the guest through Linux's KVM. */
public final class KvmHypervisor implements Hypervisor {
    private final DirtyTracking tracking;
    private final boolean hypercalls;

    public KvmHypervisor() {
        this(DirtyTracking.BITMAP, true);
    }

    /**
     * @param tracking how dirty pages are to be found
     * @param hypercalls whether guests are told of what they would do by hypercalls: a KVM that
     *     emulates guest kernels may announce them and never come back from one
     */
    public KvmHypervisor(DirtyTracking tracking, boolean hypercalls) {
        this.tracking = tracking;
        this.hypercalls = hypercalls;
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
            return HostCpuid.supported(system, hypercalls);
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
