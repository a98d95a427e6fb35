package org.javisor.chipset;

import org.javisor.device.LocalApicState;

/**
 * Who a local APIC is: IA32_APIC_BASE with its operating mode (Intel SDM vol. 3A, 11.4.3, 11.12.1),
 * and the logical identity that messages are matched with (11.6.2). Written on the processor's
 * thread, read by senders on any.
 */
final class ApicIdentity {
    /** A destination that means all processors. */
    static final int ALL = 0xffffffff;

    private static final long BSP = 1 << 8;
    private static final long X2APIC = 1 << 10;
    private static final long ENABLED = 1 << 11;

    /** As many physical address bits as any machine here has. */
    private static final long ADDRESS = (1L << 46) - 0x1000;

    private final int id;
    private volatile long base;
    private volatile int logicalDestination;
    private volatile int destinationFormat;

    ApicIdentity(int id) {
        this.id = id;
    }

    int id() {
        return id;
    }

    void powerOn() {
        base = PcPorts.LOCAL_APIC | ENABLED | (id == 0 ? BSP : 0);
        initialize();
    }

    /** INIT spares the base register. */
    void initialize() {
        destinationFormat = 0xffffffff;
        logicalDestination = x2apic() ? x2apicLogicalId() : 0;
    }

    boolean enabled() {
        return (base & ENABLED) != 0;
    }

    boolean x2apic() {
        return (base & X2APIC) != 0;
    }

    boolean bootstrapProcessor() {
        return (base & BSP) != 0;
    }

    long base() {
        return base;
    }

    long mmioBase() {
        long now = base;
        return (now & (ENABLED | X2APIC)) == ENABLED ? now & ADDRESS : -1;
    }

    /**
     * Whether the base register may change so: off to xAPIC, xAPIC to x2APIC, either to off (SDM
     * figure 11-27).
     */
    boolean legal(long value) {
        boolean toEnabled = (value & ENABLED) != 0;
        boolean toX2apic = (value & X2APIC) != 0;
        if ((value & ~(ADDRESS | BSP | X2APIC | ENABLED)) != 0 || toX2apic && !toEnabled) {
            return false;
        }
        boolean backToXapic = x2apic() && toEnabled && !toX2apic;
        boolean fromOffToX2apic = !enabled() && toX2apic;
        return !backToXapic && !fromOffToX2apic;
    }

    /** Takes over a value that is {@link #legal}. */
    void setBase(long value) {
        boolean before = x2apic();
        base = value & ~BSP | base & BSP;
        if (x2apic() && !before) {
            logicalDestination = x2apicLogicalId();
        }
    }

    int logicalDestination() {
        return logicalDestination;
    }

    void setLogicalDestination(int value) {
        logicalDestination = value & 0xff000000;
    }

    int destinationFormat() {
        return destinationFormat;
    }

    void setDestinationFormat(int value) {
        destinationFormat = value | 0x0fffffff;
    }

    private int x2apicLogicalId() {
        return id >> 4 << 16 | 1 << (id & 0xf);
    }

    /** Whether a message so addressed is meant for this processor. */
    boolean matches(int destination, boolean logical) {
        if (!enabled()) {
            return false;
        }
        if (destination == ALL) {
            return true;
        }
        if (!logical) {
            return destination == id;
        }
        int mine = logicalDestination;
        if (x2apic()) {
            return destination >>> 16 == mine >>> 16 && (destination & mine & 0xffff) != 0;
        }
        return (destination & 0xffffff00) == 0 && matchesXapic(destination, mine >>> 24);
    }

    /**
     * Flat model: one bit a processor. Cluster model: a cluster, or Fh for all, and one bit a
     * processor in it.
     */
    private boolean matchesXapic(int destination, int mine) {
        return switch (destinationFormat >>> 28) {
            case 0xf -> (destination & mine) != 0;
            case 0 ->
                    (destination >> 4 == 0xf || destination >> 4 == mine >> 4)
                            && (destination & mine & 0xf) != 0;
            default -> false;
        };
    }

    void restore(LocalApicState state) {
        base = state.base();
        logicalDestination = state.logicalDestination();
        destinationFormat = state.destinationFormat();
    }
}
