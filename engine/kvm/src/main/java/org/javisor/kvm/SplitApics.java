package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntConsumer;
import org.javisor.device.MessageInterrupts;

/**
 * The kernel's local APICs beside I/O APIC and PICs of the machine's own ("split irqchip", Linux
 * Documentation/virt/kvm/api.rst, 7.5 KVM_CAP_SPLIT_IRQCHIP).
 *
 * <p>The kernel tells of the end of a level-triggered interrupt only if its routing table names the
 * message, so a message that is level-triggered is entered there when it is first sent.
 */
final class SplitApics implements MessageInterrupts {
    /** How many entries of the routing table belong to I/O APICs; also how many are remembered. */
    static final int PINS = 24;

    private static final int LEVEL = 1 << 15;
    private static final int ROUTE_TO_MESSAGE = 2;
    private static final int ENTRY = Layouts.size(Layouts.IRQ_ROUTING_ENTRY);
    private static final int HEADER = Layouts.size(Layouts.IRQ_ROUTING);

    private final KvmHandle vm;
    private final IntConsumer endOfInterrupt;
    private final MemorySegment message;
    private final MemorySegment routes;
    private final long[] routed = new long[PINS];
    private int routedCount;
    private int next;

    SplitApics(KvmHandle vm, IntConsumer endOfInterrupt, Arena arena) {
        this.vm = vm;
        this.endOfInterrupt = endOfInterrupt;
        message = arena.allocate(Layouts.MSI);
        routes = arena.allocate(HEADER + (long) ENTRY * PINS, 8);
    }

    @Override
    public synchronized void deliver(long address, int data) {
        if (address >>> 20 != 0xfee) {
            return;
        }
        if ((data & LEVEL) != 0) {
            route(address, data);
        }
        Fields.putInt(message, Layouts.MSI, "address_lo", (int) address);
        Fields.putInt(message, Layouts.MSI, "data", data);
        // A message that no processor takes is refused, and is lost on a bus too.
        int ignored = vm.tryCall(Ioctl.SIGNAL_MSI, message);
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
