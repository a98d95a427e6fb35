package org.javisor.kvm;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;
import org.junit.jupiter.api.extension.ExtendWith;

/** What every engine promises, kept by KVM. */
@NeedsKvm
@ExtendWith(HostLimits.class)
class KvmContractTest extends EngineContract {
    private static final Hypervisor KVM = new KvmHypervisor();

    @Override
    protected Hypervisor hypervisor() {
        return KVM;
    }
}
