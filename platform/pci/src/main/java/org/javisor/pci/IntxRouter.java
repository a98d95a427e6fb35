package org.javisor.pci;

import java.util.BitSet;
import java.util.List;
import org.javisor.device.InterruptLine;

/**
 * The four interrupt lines that the pins of all functions share, each high while any function on it
 * is. Device d's pin p (INTA is 1) is on line (d + p - 1) mod 4, which spreads the INTAs of
 * neighbours.
 */
final class IntxRouter {
    static final int LINES = 4;

    private final List<Line> lines;

    private static final class Line {
        final InterruptLine output;
        final BitSet asserting = new BitSet();

        Line(InterruptLine output) {
            this.output = output;
        }

        synchronized void drive(int index, boolean asserted) {
            asserting.set(index, asserted);
            output.drive(!asserting.isEmpty());
        }
    }

    IntxRouter(List<InterruptLine> outputs) {
        if (outputs.size() != LINES) {
            throw new IllegalArgumentException("A PCI bus has four interrupt lines");
        }
        lines = outputs.stream().map(Line::new).toList();
    }

    /** Which of the four lines a pin is wired to. */
    static int line(int device, int pin) {
        return (device + pin - 1) % LINES;
    }

    InterruptLine input(PciAddress address, int pin) {
        Line line = lines.get(line(address.device(), pin));
        return asserted -> line.drive(address.index(), asserted);
    }
}
