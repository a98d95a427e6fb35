package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.LocalInterruptController;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.hypervisor.InterruptFabric;
import org.javisor.hypervisor.Vcpu;

/** Interrupt controllers and timer of the engine's own. They answer the guest by themselves. */
final class FabricWiring implements InterruptWiring {
    private final InterruptFabric fabric;
    private final List<Vcpu> vcpus = new ArrayList<>();

    FabricWiring(InterruptFabric fabric) {
        this.fabric = fabric;
    }

    @Override
    public InterruptLine isa(int irq) {
        return fabric.isa(irq);
    }

    @Override
    public InterruptLine pic(int input) {
        return fabric.pic(input);
    }

    @Override
    public InterruptLine ioApic(int input) {
        return fabric.ioApic(input);
    }

    @Override
    public MessageInterrupts messages() {
        return fabric.messages();
    }

    @Override
    public void attach(PioBus ports, MmioBus memory) {}

    @Override
    public void connect(Vcpu vcpu, BoardIo io) {
        vcpus.add(vcpu);
        io.connect(LocalInterruptController.NONE);
    }

    @Override
    public void setLevelTriggered(int inputs) {
        fabric.setLevelTriggered(inputs);
    }

    @Override
    public void reset() {
        fabric.reset();
    }

    @Override
    public LocalApicState saveApic(int index) {
        return vcpus.get(index).localApic();
    }

    @Override
    public void restoreApic(int index, LocalApicState state) {
        vcpus.get(index).setLocalApic(state);
    }
}
