package org.javisor.machine;

import java.util.Optional;
import org.javisor.device.Clock;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.hypervisor.InterruptFabric;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.Vm;

/**
 * A board's interrupt controllers and timer, whosever they are, and the wires that lead to them.
 */
sealed interface InterruptWiring permits ChipWiring, FabricWiring {
    /**
     * The best that the engine offers and the choice allows.
     *
     * @throws MachineException HOST_CANNOT if the engine does not have what was chosen
     */
    static InterruptWiring of(Vm vm, Clock clock, InterruptChips choice) {
        if (choice.allows(InterruptChips.KERNEL)) {
            Optional<InterruptFabric> fabric = vm.useOwnInterruptFabric();
            if (fabric.isPresent()) {
                return new FabricWiring(fabric.get());
            }
        }
        if (choice.allows(InterruptChips.SPLIT)) {
            ProcessorApics apics = ProcessorApics.of(vm, clock);
            if (choice == InterruptChips.AUTO || apics instanceof HostApics) {
                return new ChipWiring(apics, clock);
            }
        }
        if (choice.allows(InterruptChips.OWN)) {
            return new ChipWiring(new SoftwareApics(clock), clock);
        }
        throw new MachineException(
                MachineException.Code.HOST_CANNOT,
                "This engine has no interrupt controllers of its own for --irqchip %s; auto takes what there is"
                        .formatted(choice.label()));
    }

    /** The line of ISA interrupt {@code irq}, to the PIC and the I/O APIC. Each has one driver. */
    InterruptLine isa(int irq);

    /** Input 0 to 15 of the PICs alone. */
    InterruptLine pic(int input);

    /** Input 16 to 23 of the I/O APIC. */
    InterruptLine ioApic(int input);

    /** Where PCI functions send their messages. */
    MessageInterrupts messages();

    /** Puts the chips where a PC has them. */
    void attach(PioBus ports, MmioBus memory);

    /** Connects the processor with its local APIC. To be called in the order of their numbers. */
    void connect(Vcpu vcpu, BoardIo io);

    /** Sets the PICs' edge/level registers; one bit for each input. */
    void setLevelTriggered(int inputs);

    /** After the devices, whose interrupts have been taken back. */
    void reset();

    /** A processor's local APIC, while the processors stand still. */
    LocalApicState saveApic(int index);

    void restoreApic(int index, LocalApicState state);
}
