package org.javisor.machine;

import java.util.List;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.IsaInterrupts;
import org.javisor.chipset.PcPorts;
import org.javisor.chipset.PicPair;
import org.javisor.chipset.Pit8254;
import org.javisor.chipset.SystemControlPortB;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.device.PioDevice;
import org.javisor.hypervisor.Vcpu;

/** Javisor's own PICs, I/O APIC and timer; the local APICs may be the engine's. */
final class ChipWiring implements InterruptWiring {
    private final ProcessorApics apics;
    private final PicPair pics;
    private final IoApic ioApic;
    private final IsaInterrupts isa;
    private final Pit8254 pit;
    private final SystemControlPortB portB;
    private final PioDevice edgeLevel;

    ChipWiring(ProcessorApics apics, Clock clock) {
        this.apics = apics;
        pics = new PicPair(apics.intr());
        ioApic = new IoApic(apics.bus());
        apics.attach(pics);
        apics.attach(ioApic);
        isa = new IsaInterrupts(pics, ioApic);
        pit = new Pit8254(clock, isa.line(PcPorts.PIT_IRQ));
        portB = new SystemControlPortB(pit, clock);
        edgeLevel = pics.edgeLevel();
    }

    @Override
    public InterruptLine isa(int irq) {
        return isa.line(irq);
    }

    @Override
    public InterruptLine pic(int input) {
        return pics.input(input);
    }

    @Override
    public InterruptLine ioApic(int input) {
        return ioApic.input(input);
    }

    @Override
    public MessageInterrupts messages() {
        return apics.messages();
    }

    @Override
    public void attach(PioBus ports, MmioBus memory) {
        ports.attach("pit", PcPorts.PIT, PcPorts.PIT_SIZE, pit);
        ports.attach("port-61", PcPorts.SYSTEM_CONTROL_B, 1, portB);
        ports.attach("pic", PcPorts.PIC_MASTER, PcPorts.PIC_SIZE, pics.master());
        ports.attach("pic", PcPorts.PIC_SLAVE, PcPorts.PIC_SIZE, pics.slave());
        ports.attach("pic", PcPorts.PIC_EDGE_LEVEL, PcPorts.PIC_SIZE, edgeLevel);
        memory.attach("io-apic", PcPorts.IO_APIC, PcPorts.IO_APIC_SIZE, ioApic);
    }

    @Override
    public void connect(Vcpu vcpu, BoardIo io) {
        apics.connect(vcpu, io);
    }

    @Override
    public void setLevelTriggered(int inputs) {
        edgeLevel.writePort(0, 1, inputs & 0xff);
        edgeLevel.writePort(1, 1, inputs >> 8);
    }

    @Override
    public void reset() {
        // The timer drives the controllers.
        List.<Device<?>>of(pit, portB, ioApic, pics).forEach(Device::reset);
        apics.reset();
    }

    @Override
    public LocalApicState saveApic(int index) {
        return apics.save(index);
    }

    @Override
    public void restoreApic(int index, LocalApicState state) {
        apics.restore(index, state);
    }
}
