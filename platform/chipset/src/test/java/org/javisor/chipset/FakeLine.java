package org.javisor.chipset;

import org.javisor.device.InterruptLine;

/** A wire that remembers its level and counts its rising edges. */
final class FakeLine implements InterruptLine {
    boolean high;
    int rises;

    @Override
    public void drive(boolean asserted) {
        if (asserted && !high) {
            rises++;
        }
        high = asserted;
    }
}
