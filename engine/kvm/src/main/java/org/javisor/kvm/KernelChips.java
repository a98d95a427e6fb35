package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.javisor.device.InterruptLine;
import org.javisor.device.MessageInterrupts;
import org.javisor.hypervisor.InterruptFabric;

/**
 * The kernel's PICs, I/O APIC, local APICs and timer chip (Linux Documentation/virt/kvm/api.rst,
 * 4.24 KVM_CREATE_IRQCHIP, 4.71 KVM_CREATE_PIT2).
 *
 * <p>Interrupt numbers: 0 to 15 are the ISA interrupts, wired to both PIC and I/O APIC; 16 to 23
 * inputs of the I/O APIC; 24 to 39 the PICs' inputs alone; what follows sends messages.
 */
final class KernelChips implements InterruptFabric {
    private static final int ISA = 16, INPUTS = 24, PICS = 24, MESSAGES = PICS + ISA;

    /** The PICs' input that leads from one to the other. */
    private static final int CASCADE = 2;

    /** Where the timer's interrupt 0 arrives at the I/O APIC. */
    private static final int TIMER_INPUT = 2;

    /** KVM_CREATE_PIT2: answers port 61h too. */
    private static final int WITH_SPEAKER_PORT = 1;

    private final KvmHandle vm;
    private final KernelInterrupts messages;
    private final MemorySegment level;
    private final ChipState chips;
    private final byte[] powerOn;

    private KernelChips(KvmHandle vm, Arena arena) {
        this.vm = vm;
        vm.call(Ioctl.CREATE_IRQCHIP, 0);
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment pit = scratch.allocate(Layouts.PIT_CONFIG);
            Fields.putInt(pit, Layouts.PIT_CONFIG, "flags", WITH_SPEAKER_PORT);
            vm.call(Ioctl.CREATE_PIT2, pit);
            if (vm.offers(Capability.REINJECT_CONTROL)) {
                // Ticks that nobody has seen are not made up for, as with the machine's own timer.
                MemorySegment none = scratch.allocate(Layouts.REINJECT_CONTROL);
                int ignored = vm.tryCall(Ioctl.REINJECT_CONTROL, none);
            }
        }
        RoutingTable routing = new RoutingTable(vm);
        wire(routing);
        messages = new KernelInterrupts(vm, routing, MESSAGES, false, vector -> {}, arena);
        level = arena.allocate(Layouts.IRQ_LEVEL);
        chips = new ChipState(vm);
        powerOn = chips.image();
    }

    /** Empty if the host's KVM does not have them. To be called before the first processor. */
    static Optional<KernelChips> of(KvmHandle vm, Arena arena) {
        boolean offered =
                vm.offers(Capability.IRQCHIP)
                        && vm.offers(Capability.PIT2)
                        && vm.offers(Capability.PIT_STATE2)
                        && vm.offers(Capability.SIGNAL_MSI)
                        && vm.offers(Capability.IRQ_ROUTING);
        return offered ? Optional.of(new KernelChips(vm, arena)) : Optional.empty();
    }

    private static void wire(RoutingTable routing) {
        for (int input = 0; input < ISA; input++) {
            if (input != CASCADE) {
                addPic(routing, input, input);
                addPic(routing, PICS + input, input);
                routing.addInput(input, RoutingTable.IO_APIC, input == 0 ? TIMER_INPUT : input);
            }
        }
        for (int input = ISA; input < INPUTS; input++) {
            routing.addInput(input, RoutingTable.IO_APIC, input);
        }
        routing.install();
    }

    private static void addPic(RoutingTable routing, int gsi, int input) {
        int chip = input < 8 ? RoutingTable.PIC_MASTER : RoutingTable.PIC_SLAVE;
        routing.addInput(gsi, chip, input & 7);
    }

    /** The way for messages to the local APICs. */
    KernelInterrupts interrupts() {
        return messages;
    }

    @Override
    public MessageInterrupts messages() {
        return messages;
    }

    @Override
    public InterruptLine isa(int irq) {
        return line(irq, 1, ISA);
    }

    @Override
    public InterruptLine pic(int input) {
        return line(PICS + input, PICS, PICS + ISA);
    }

    @Override
    public InterruptLine ioApic(int input) {
        return line(input, ISA, INPUTS);
    }

    private InterruptLine line(int gsi, int first, int end) {
        if (gsi < first || gsi >= end) {
            throw new IllegalArgumentException("No such interrupt input: " + (gsi - first));
        }
        return new Wire(gsi);
    }

    /** Tells the kernel of changes only: devices drive their lines much more often. */
    private final class Wire implements InterruptLine {
        private final int gsi;
        private boolean high;

        Wire(int gsi) {
            this.gsi = gsi;
        }

        @Override
        public synchronized void drive(boolean asserted) {
            if (asserted != high) {
                high = asserted;
                set(gsi, asserted);
            }
        }
    }

    private synchronized void set(int gsi, boolean asserted) {
        Fields.putInt(level, Layouts.IRQ_LEVEL, "irq", gsi);
        Fields.putInt(level, Layouts.IRQ_LEVEL, "level", asserted ? 1 : 0);
        int ignored = vm.tryCall(Ioctl.IRQ_LINE, level);
    }

    @Override
    public void setLevelTriggered(int inputs) {
        chips.setLevelTriggered(inputs);
    }

    @Override
    public void reset() {
        chips.setImage(powerOn);
    }

    @Override
    public State save() {
        return chips.save();
    }

    @Override
    public void restore(State state) {
        chips.restore(state);
    }
}
