package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.javisor.device.MessageInterrupts;

/**
 * The kernel's local APICs beside I/O APIC and PICs of the machine's own ("split irqchip", Linux
 * Documentation/virt/kvm/api.rst, 7.5 KVM_CAP_SPLIT_IRQCHIP), and the messages to them in any case.
 *
 * <p>With a machine's own I/O APIC the kernel tells of the end of a level-triggered interrupt only
 * if the first entries of its routing table name the message, so a message that is level-triggered
 * is entered there when it is first sent.
 */
final class KernelInterrupts implements MessageInterrupts {
    /** How many entries of the routing table belong to I/O APICs; also how many are remembered. */
    static final int PINS = 24;

    private static final int LEVEL = 1 << 15;

    private final RoutingTable routing;
    private final MessageWires wires;
    private final boolean split;
    private final IntConsumer endOfInterrupt;
    private final long[] routed = new long[PINS];
    private int next;

    /**
     * @param firstGsi the first number of the table that is free
     */
    KernelInterrupts(
            KvmHandle vm,
            RoutingTable routing,
            int firstGsi,
            boolean split,
            IntConsumer endOfInterrupt,
            Arena arena) {
        this.routing = routing;
        this.split = split;
        this.endOfInterrupt = endOfInterrupt;
        wires = new MessageWires(vm, routing, firstGsi, arena);
    }

    /** Local APICs only; empty if the host's KVM does not do that. */
    static Optional<KernelInterrupts> split(KvmHandle vm, IntConsumer endOfInterrupt, Arena arena) {
        boolean enabled =
                vm.offers(Capability.SIGNAL_MSI)
                        && vm.offers(Capability.IRQ_ROUTING)
                        && vm.enable(Capability.SPLIT_IRQCHIP, PINS) == 0;
        if (!enabled) {
            return Optional.empty();
        }
        RoutingTable routing = new RoutingTable(vm);
        return Optional.of(new KernelInterrupts(vm, routing, PINS, true, endOfInterrupt, arena));
    }

    @Override
    public void deliver(long address, int data) {
        if (address >>> 20 != 0xfee) {
            return;
        }
        if (split && (data & LEVEL) != 0) {
            route(address, data);
        }
        wires.send(address, data);
    }

    /** Makes an interrupt number of the routing table send a message, for an irqfd. */
    synchronized void routeMessage(int gsi, long address, int data) {
        routing.setMessage(gsi, address, data);
        routing.install();
    }

    private synchronized void route(long address, int data) {
        long key = address << 32 | data & 0xffffffffL;
        for (long known : routed) {
            if (known == key) {
                return;
            }
        }
        routed[next] = key;
        routeMessage(next, address, data);
        next = (next + 1) % PINS;
    }

    void ended(int vector) {
        endOfInterrupt.accept(vector);
    }

    MessageWires wires() {
        return wires;
    }

    void close() {
        wires.close();
    }
}
