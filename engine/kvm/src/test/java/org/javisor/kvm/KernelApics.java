package org.javisor.kvm;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.InterruptFabric;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** KVM with interrupt controllers of the kernel's, for one small guest. */
final class KernelApics implements Hypervisor {
    private final boolean whole;
    private final List<Integer> ended = new CopyOnWriteArrayList<>();
    private KvmVm vm;
    private KernelInterrupts interrupts;
    private Optional<InterruptFabric> fabric = Optional.empty();

    /**
     * @param whole with PICs, I/O APIC and timer; else local APICs only
     */
    KernelApics(boolean whole) {
        this.whole = whole;
    }

    @Override
    public String name() {
        return "kvm";
    }

    @Override
    public CpuidTable cpuid() {
        return new KvmHypervisor().cpuid();
    }

    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        vm = (KvmVm) new KvmHypervisor().createVm(memory, clock);
        if (whole) {
            fabric = vm.useOwnInterruptFabric();
            interrupts = vm.apics().orElseThrow();
        } else {
            vm.useOwnLocalApics(ended::add).orElseThrow();
            interrupts = vm.apics().orElseThrow();
        }
        return vm;
    }

    KvmHandle handle() {
        return vm.handle();
    }

    KernelInterrupts interrupts() {
        return interrupts;
    }

    InterruptFabric fabric() {
        return fabric.orElseThrow();
    }

    KvmVm vm() {
        return vm;
    }

    /** Vectors of level-triggered interrupts that have ended. */
    List<Integer> ended() {
        return ended;
    }
}
