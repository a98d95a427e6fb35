package org.javisor.storage;

import java.util.ArrayList;
import java.util.List;

/** Excludes others from a range of clusters; ranges that do not touch go on side by side. */
final class RangeLock {
    private final List<Held> held = new ArrayList<>();

    /** A range that is held until it is given back. */
    record Held(long first, long last) {}

    synchronized Held lock(long first, long last) {
        boolean interrupted = false;
        while (taken(first, last)) {
            try {
                wait();
            } catch (InterruptedException e) {
                // Half a request would be worse than a late end.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        Held range = new Held(first, last);
        held.add(range);
        return range;
    }

    private boolean taken(long first, long last) {
        for (Held other : held) {
            if (first <= other.last && other.first <= last) {
                return true;
            }
        }
        return false;
    }

    synchronized void unlock(Held range) {
        held.removeIf(other -> other == range);
        notifyAll();
    }
}
