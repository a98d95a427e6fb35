package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import org.javisor.chipset.ApicBus;
import org.javisor.chipset.InterruptMessageBus;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.LocalApic;
import org.javisor.chipset.PicPair;
import org.javisor.device.Clock;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.MessageInterrupts;
import org.javisor.hypervisor.Vcpu;

/** Local APICs of Javisor's own chipset, on a bus. */
final class SoftwareApics implements ProcessorApics {
    private final ApicBus bus = new ApicBus();
    private final List<LocalApic> apics = new ArrayList<>();
    private final Clock clock;

    SoftwareApics(Clock clock) {
        this.clock = clock;
    }

    @Override
    public InterruptMessageBus bus() {
        return bus;
    }

    @Override
    public MessageInterrupts messages() {
        return bus;
    }

    @Override
    public InterruptLine intr() {
        return bus.intr();
    }

    @Override
    public void attach(PicPair pics) {
        bus.attach(pics);
    }

    @Override
    public void attach(IoApic ioApic) {
        bus.attach(ioApic);
    }

    @Override
    public void connect(Vcpu vcpu, BoardIo io) {
        LocalApic apic = new LocalApic(bus, vcpu.index(), vcpu, clock, vcpu::tsc);
        apics.add(apic);
        vcpu.connect(apic);
        io.connect(apic);
    }

    @Override
    public void reset() {
        apics.forEach(LocalApic::reset);
    }

    @Override
    public LocalApicState save(int index) {
        return apics.get(index).save();
    }

    @Override
    public void restore(int index, LocalApicState state) {
        apics.get(index).restore(state);
    }
}
