package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.javisor.device.MessageInterrupts;

/**
 * The kernel's interrupt controllers (Linux Documentation/virt/kvm/api.rst): its local APICs beside
 * I/O APIC and PICs of the machine's own ("split irqchip", 7.5 KVM_CAP_SPLIT_IRQCHIP), or all of
 * them and the timer chip (4.24 KVM_CREATE_IRQCHIP, 4.71 KVM_CREATE_PIT2).
 *
 * <p>With a machine's own I/O APIC the kernel tells of the end of a level-triggered interrupt only
 * if its routing table names the message, so a message that is level-triggered is entered there
 * when it is first sent.
 */
final class KernelInterrupts implements MessageInterrupts {
    /** How many entries of the routing table belong to I/O APICs; also how many are remembered. */
    static final int PINS = 24;

    private static final int LEVEL = 1 << 15;
    private static final int ROUTE_TO_MESSAGE = 2;
    private static final int ENTRY = Layouts.size(Layouts.IRQ_ROUTING_ENTRY);
    private static final int HEADER = Layouts.size(Layouts.IRQ_ROUTING);

    private final KvmHandle vm;
    private final boolean split;
    private final IntConsumer endOfInterrupt;
    private final MemorySegment message;
    private final MemorySegment level;
    private final MemorySegment routes;
    private final long[] routed = new long[PINS];
    private int routedCount;
    private int next;

    private KernelInterrupts(KvmHandle vm, boolean split, IntConsumer endOfInterrupt, Arena arena) {
        this.vm = vm;
        this.split = split;
        this.endOfInterrupt = endOfInterrupt;
        message = arena.allocate(Layouts.MSI);
        level = arena.allocate(Layouts.IRQ_LEVEL);
        routes = arena.allocate(HEADER + (long) ENTRY * PINS, 8);
    }

    /** Local APICs only; empty if the host's KVM does not do that. */
    static Optional<KernelInterrupts> split(KvmHandle vm, IntConsumer endOfInterrupt, Arena arena) {
        boolean enabled =
                vm.offers(Capability.SIGNAL_MSI)
                        && vm.offers(Capability.IRQ_ROUTING)
                        && vm.enable(Capability.SPLIT_IRQCHIP, PINS) == 0;
        return enabled
                ? Optional.of(new KernelInterrupts(vm, true, endOfInterrupt, arena))
                : Optional.empty();
    }

    /**
     * All controllers and the timer chip.
     *
     * @throws KvmException if the host's KVM does not have them
     */
    static KernelInterrupts whole(KvmHandle vm, Arena arena) {
        vm.call(Ioctl.CREATE_IRQCHIP, 0);
        try (Arena scratch = Arena.ofConfined()) {
            vm.call(Ioctl.CREATE_PIT2, scratch.allocate(Layouts.PIT_CONFIG));
        }
        return new KernelInterrupts(vm, false, vector -> {}, arena);
    }

    @Override
    public synchronized void deliver(long address, int data) {
        if (address >>> 20 != 0xfee) {
            return;
        }
        if (split && (data & LEVEL) != 0) {
            route(address, data);
        }
        Fields.putInt(message, Layouts.MSI, "address_lo", (int) address);
        Fields.putInt(message, Layouts.MSI, "data", data);
        // A message that no processor takes is refused, and is lost on a bus too.
        int ignored = vm.tryCall(Ioctl.SIGNAL_MSI, message);
    }

    /**
     * Drives an input of the kernel's own controllers: 0 to 15 of the PICs, 0 to 23 of the I/O
     * APIC.
     */
    synchronized void line(int gsi, boolean asserted) {
        Fields.putInt(level, Layouts.IRQ_LEVEL, "irq", gsi);
        Fields.putInt(level, Layouts.IRQ_LEVEL, "level", asserted ? 1 : 0);
        vm.call(Ioctl.IRQ_LINE, level);
    }

    /** Makes an interrupt number of the routing table send a message, for an irqfd. */
    synchronized void routeMessage(int gsi, long address, int data) {
        routed[gsi] = address << 32 | data & 0xffffffffL;
        routedCount = Math.max(routedCount, gsi + 1);
        writeRoutes();
    }

    private void route(long address, int data) {
        long key = address << 32 | data & 0xffffffffL;
        for (int n = 0; n < routedCount; n++) {
            if (routed[n] == key) {
                return;
            }
        }
        routed[next] = key;
        routedCount = Math.max(routedCount, next + 1);
        next = (next + 1) % PINS;
        writeRoutes();
    }

    private void writeRoutes() {
        routes.fill((byte) 0);
        routes.set(ValueLayout.JAVA_INT, 0, routedCount);
        for (int n = 0; n < routedCount; n++) {
            MemorySegment entry = routes.asSlice(HEADER + (long) n * ENTRY, ENTRY);
            Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "gsi", n);
            Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "type", ROUTE_TO_MESSAGE);
            Fields.putInt(
                    entry, Layouts.IRQ_ROUTING_ENTRY, "u.msi.address_lo", (int) (routed[n] >>> 32));
            Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "u.msi.data", (int) routed[n]);
        }
        vm.call(Ioctl.SET_GSI_ROUTING, routes);
    }

    void ended(int vector) {
        endOfInterrupt.accept(vector);
    }
}
