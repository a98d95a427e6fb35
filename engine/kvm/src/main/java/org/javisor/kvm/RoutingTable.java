package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel's interrupt numbers ("global system interrupts") lead to: inputs of its
 * controllers, or messages (Linux Documentation/virt/kvm/api.rst, 4.52 KVM_SET_GSI_ROUTING). The
 * kernel takes it as a whole. Thread-safe.
 */
final class RoutingTable {
    // Chips of an input
    static final int PIC_MASTER = 0, PIC_SLAVE = 1, IO_APIC = 2;
    private static final int TO_INPUT = 1, TO_MESSAGE = 2;
    private static final int ENTRY = Layouts.size(Layouts.IRQ_ROUTING_ENTRY);
    private static final int HEADER = Layouts.size(Layouts.IRQ_ROUTING);

    private record Route(int gsi, int type, int first, int second, int data) {}

    private final KvmHandle vm;
    private final List<Route> routes = new ArrayList<>();

    RoutingTable(KvmHandle vm) {
        this.vm = vm;
    }

    /** Leads a number to an input too. */
    synchronized void addInput(int gsi, int chip, int input) {
        routes.add(new Route(gsi, TO_INPUT, chip, input, 0));
    }

    /** Makes a number send this message and nothing else. */
    synchronized void setMessage(int gsi, long address, int data) {
        routes.removeIf(route -> route.gsi() == gsi);
        routes.add(new Route(gsi, TO_MESSAGE, (int) address, (int) (address >>> 32), data));
    }

    /** Gives it to the kernel. */
    synchronized void install() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(HEADER + (long) ENTRY * routes.size(), 8);
            table.set(ValueLayout.JAVA_INT, 0, routes.size());
            for (int n = 0; n < routes.size(); n++) {
                Route route = routes.get(n);
                MemorySegment entry = table.asSlice(HEADER + (long) n * ENTRY, ENTRY);
                Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "gsi", route.gsi());
                Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "type", route.type());
                // The union's members begin alike: chip and input, or the address's halves.
                Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "u.msi.address_lo", route.first());
                Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "u.msi.address_hi", route.second());
                Fields.putInt(entry, Layouts.IRQ_ROUTING_ENTRY, "u.msi.data", route.data());
            }
            vm.call(Ioctl.SET_GSI_ROUTING, table);
        }
    }
}
