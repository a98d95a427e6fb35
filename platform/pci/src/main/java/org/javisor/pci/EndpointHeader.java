package org.javisor.pci;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * The registers that every function has: the header of type 0 in the first 64 bytes of
 * configuration space (PCI Local Bus Specification 3.0, 6.1 and 6.2). Not thread-safe.
 */
final class EndpointHeader {
    static final int BARS = 6;

    /** In place of a BAR's address: it answers nowhere. */
    static final long NOT_DECODED = -1;

    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int REVISION = 0x08;
    private static final int CACHE_LINE = 0x0c;
    private static final int HEADER_TYPE = 0x0e;
    private static final int FIRST_BAR = 0x10;
    private static final int SUBSYSTEM = 0x2c;
    private static final int CAPABILITIES = 0x34;
    private static final int INTERRUPT_LINE = 0x3c;
    private static final int INTERRUPT_PIN = 0x3d;

    private static final int IO_SPACE = 1;
    private static final int MEMORY_SPACE = 1 << 1;
    private static final int BUS_MASTER = 1 << 2;
    private static final int PARITY_RESPONSE = 1 << 6;
    private static final int SYSTEM_ERRORS = 1 << 8;
    private static final int INTX_DISABLE = 1 << 10;

    private static final int INTERRUPT_STATUS = 1 << 3;
    private static final int HAS_CAPABILITIES = 1 << 4;
    private static final int MULTIFUNCTION = 0x80;

    private final ConfigurationSpace space;

    /** By index; null where there is none or it is the upper half of the one before. */
    private final Bar[] bars = new Bar[BARS];

    /** Of the pointer to the capability that is added next. */
    private int nextPointer = CAPABILITIES;

    /**
     * Defines the registers.
     *
     * @param interruptPin 1 to 4 for INTA to INTD, or 0
     * @throws IllegalArgumentException if the BARs overlap
     */
    EndpointHeader(
            ConfigurationSpace space,
            PciIdentity identity,
            int interruptPin,
            Map<Integer, Bar> bars) {
        this.space = space;
        bars.forEach(this::addBar);
        space.define(0, 4, identity.vendor() | identity.device() << 16, 0);
        space.define(REVISION, 4, identity.revision() | identity.classCode() << 8, 0);
        space.define(SUBSYSTEM, 4, identity.subsystemVendor() | identity.subsystem() << 16, 0);
        space.define(INTERRUPT_PIN, 1, interruptPin, 0);
        // Without effect here, but software sets them and expects them to stay.
        space.define(CACHE_LINE, 1, 0, 0xff);
        space.define(INTERRUPT_LINE, 1, 0, 0xff);
        defineCommand();
    }

    private void addBar(int index, Bar bar) {
        int last = bar.wide() ? index + 1 : index;
        if (index < 0 || last >= BARS || bars[index] != null || bars[last] != null) {
            throw new IllegalArgumentException("There is no room for this BAR " + index);
        }
        if (index > 0 && bars[index - 1] != null && bars[index - 1].wide()) {
            throw new IllegalArgumentException(
                    "BAR %d is the upper half of BAR %d".formatted(index, index - 1));
        }
        bars[index] = bar;
        int at = FIRST_BAR + 4 * index;
        space.define(at, 4, bar.typeBits(), (int) bar.addressBits());
        if (bar.wide()) {
            space.define(at + 4, 4, 0, (int) (bar.addressBits() >>> 32));
        }
    }

    private void defineCommand() {
        int spaces = 0;
        for (Bar bar : bars) {
            switch (bar) {
                case null -> {}
                case Bar.Io io -> spaces |= IO_SPACE;
                case Bar.Memory memory -> spaces |= MEMORY_SPACE;
            }
        }
        int writable = spaces | BUS_MASTER | PARITY_RESPONSE | SYSTEM_ERRORS | INTX_DISABLE;
        space.define(COMMAND, 2, 0, writable);
    }

    /** Appends to the capability list, wherever there is room. */
    void link(PciCapability capability) {
        int at = space.room(capability.registers().length());
        space.place(at, capability.registers());
        space.define(at, 2, capability.id(), 0);
        space.define(nextPointer, 1, at, 0);
        space.define(STATUS, 2, HAS_CAPABILITIES, 0);
        nextPointer = at + 1;
    }

    Optional<Bar> bar(int index) {
        return index < 0 || index >= BARS ? Optional.empty() : Optional.ofNullable(bars[index]);
    }

    boolean busMaster() {
        return (space.get(COMMAND, 2) & BUS_MASTER) != 0;
    }

    boolean intxDisabled() {
        return (space.get(COMMAND, 2) & INTX_DISABLE) != 0;
    }

    /** What the bits that are not contents add to a read. */
    static int volatileBits(boolean interrupt, boolean multifunction, int offset, int size) {
        return (interrupt ? placed(STATUS, INTERRUPT_STATUS, offset, size) : 0)
                | (multifunction ? placed(HEADER_TYPE, MULTIFUNCTION, offset, size) : 0);
    }

    /** A byte register as an access sees it that may or may not meet it. */
    private static int placed(int register, int value, int offset, int size) {
        boolean met = register >= offset && register < offset + size;
        return met ? value << 8 * (register - offset) : 0;
    }

    static boolean holdsCommand(int offset, int size) {
        return offset < COMMAND + 2 && offset + size > COMMAND;
    }

    static boolean holdsBar(int offset) {
        return offset >= FIRST_BAR && offset < FIRST_BAR + 4 * BARS;
    }

    /** By BAR: the address or port where it answers, or {@link #NOT_DECODED}. */
    long[] bases() {
        int command = space.get(COMMAND, 2);
        long[] bases = new long[BARS];
        for (int i = 0; i < BARS; i++) {
            boolean decoded =
                    switch (bars[i]) {
                        case null -> false;
                        case Bar.Io io -> (command & IO_SPACE) != 0;
                        case Bar.Memory memory -> (command & MEMORY_SPACE) != 0;
                    };
            bases[i] = decoded ? base(i) : NOT_DECODED;
        }
        return bases;
    }

    /** The bases of a function that answers nowhere. */
    static long[] nowhere() {
        long[] bases = new long[BARS];
        Arrays.fill(bases, NOT_DECODED);
        return bases;
    }

    private long base(int index) {
        Bar bar = bars[index];
        int at = FIRST_BAR + 4 * index;
        long register = space.get(at, 4) & 0xffff_ffffL;
        if (bar.wide()) {
            register |= (long) space.get(at + 4, 4) << 32;
        }
        long base = register & bar.addressBits();
        return base == 0 ? NOT_DECODED : base;
    }
}
