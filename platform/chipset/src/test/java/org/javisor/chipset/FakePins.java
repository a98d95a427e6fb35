package org.javisor.chipset;

import java.util.ArrayList;
import java.util.List;
import org.javisor.device.ProcessorPins;

/** A processor that notes what is done to its pins. */
final class FakePins implements ProcessorPins {
    int requests;
    int nmis;
    int inits;
    final List<Integer> startUps = new ArrayList<>();

    @Override
    public synchronized void interruptRequested() {
        requests++;
    }

    @Override
    public synchronized void nmi() {
        nmis++;
    }

    @Override
    public synchronized void init() {
        inits++;
    }

    @Override
    public synchronized void startUp(int vector) {
        startUps.add(vector);
    }
}
