package org.javisor.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a PC's firmware does with PCI before it starts an operating system: it places every BAR,
 * largest first, switches decoding on and notes the interrupts. Operating systems may do otherwise.
 */
public final class PciFirmware {
    private static final int COMMAND = 0x04;
    private static final int DECODE = 3;
    private static final int FIRST_BAR = 0x10;
    private static final int INTERRUPT_LINE = 0x3c;

    private final PciBus bus;
    private final Space low;
    private final Space high;
    private final Space ports;

    /** Gives out a window from its beginning. */
    private static final class Space {
        private final long end;
        private long next;

        Space(PciWindows.Range range) {
            next = range.base();
            end = range.end();
        }

        /** An aligned range of so many bytes, or -1 if there is none left. */
        long take(long size) {
            long base = next + size - 1 & -size;
            if (base + size > end || base + size < base) {
                return -1;
            }
            next = base + size;
            return base;
        }
    }

    private record Place(int function, int index, Bar bar) {}

    private PciFirmware(PciBus bus, PciWindows windows) {
        this.bus = bus;
        low = new Space(windows.low());
        high = new Space(windows.high());
        ports = new Space(windows.ports());
    }

    /**
     * Sets up all functions that are plugged in, after a reset. What finds no room stays without an
     * address.
     *
     * @param interrupts the ISA interrupts of the bus's four interrupt lines, for guests without
     *     ACPI
     */
    public static void configure(PciBus bus, PciWindows windows, List<Integer> interrupts) {
        new PciFirmware(bus, windows).configure(interrupts);
    }

    private void configure(List<Integer> interrupts) {
        List<Place> places = new ArrayList<>();
        bus.functions()
                .forEach(
                        (address, function) -> {
                            for (int i = 0; i < EndpointHeader.BARS; i++) {
                                int index = i;
                                function.bar(i)
                                        .map(bar -> new Place(address.index(), index, bar))
                                        .ifPresent(places::add);
                            }
                        });
        places.sort(Comparator.comparingLong((Place place) -> place.bar.size()).reversed());
        places.forEach(this::place);
        bus.functions()
                .forEach(
                        (address, function) -> {
                            bus.write(address.index(), COMMAND, 2, DECODE);
                            if (function.interruptPin() != 0) {
                                int line =
                                        PciBus.interruptLine(
                                                address.device(), function.interruptPin());
                                bus.write(address.index(), INTERRUPT_LINE, 1, interrupts.get(line));
                            }
                        });
    }

    private void place(Place place) {
        long base =
                switch (place.bar) {
                    case Bar.Io bar -> ports.take(bar.size());
                    case Bar.Memory bar when !bar.wide() -> low.take(bar.size());
                    // What is prefetchable has no need to be where 32-bit software reaches it.
                    case Bar.Memory bar when bar.prefetchable() -> high.take(bar.size());
                    case Bar.Memory bar -> {
                        long below = low.take(bar.size());
                        yield below == -1 ? high.take(bar.size()) : below;
                    }
                };
        if (base == -1) {
            return;
        }
        int register = FIRST_BAR + 4 * place.index;
        bus.write(place.function, register, 4, (int) base);
        if (place.bar.wide()) {
            bus.write(place.function, register + 4, 4, (int) (base >>> 32));
        }
    }
}
