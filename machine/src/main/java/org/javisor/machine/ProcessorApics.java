package org.javisor.machine;

import java.util.Optional;
import org.javisor.chipset.InterruptMessageBus;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.PicPair;
import org.javisor.device.Clock;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.MessageInterrupts;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.Vm;

/** The local APICs of a board's processors, and what other interrupt controllers need of them. */
sealed interface ProcessorApics permits SoftwareApics, HostApics {
    /** The engine's own if it has any, else software ones. */
    static ProcessorApics of(Vm vm, Clock clock) {
        HostApics host = new HostApics();
        Optional<MessageInterrupts> messages = vm.useOwnLocalApics(host::endOfInterrupt);
        if (messages.isEmpty()) {
            return new SoftwareApics(clock);
        }
        host.deliverTo(messages.get());
        return host;
    }

    /** Where I/O APICs send theirs. */
    InterruptMessageBus bus();

    /** Where PCI functions send theirs. */
    MessageInterrupts messages();

    /** The wire from the PIC. */
    InterruptLine intr();

    void attach(PicPair pics);

    void attach(IoApic ioApic);

    /** Gives the processor one. To be called in the order of their numbers. */
    void connect(Vcpu vcpu, BoardIo io);

    void reset();

    /** A processor's, while the processors stand still. */
    LocalApicState save(int index);

    void restore(int index, LocalApicState state);
}
