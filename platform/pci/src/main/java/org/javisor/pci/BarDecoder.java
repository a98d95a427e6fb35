package org.javisor.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;

/**
 * Puts BARs onto the machine's buses and decides between those that claim the same place: the lower
 * device and function number wins, then the lower BAR; chips at fixed addresses, which are there
 * already, win over all. Thread-safe.
 */
final class BarDecoder {
    private final MmioBus memory;
    private final PioBus ports;

    /** By the index of the function and then of the BAR; in order of precedence. */
    private final TreeMap<Integer, Claim> claims = new TreeMap<>();

    private final Map<Integer, Claim> attached = new HashMap<>();

    /**
     * @param last inclusive, unsigned
     */
    private record Claim(int rank, String name, Bar bar, long base, long last) {
        boolean meets(Claim other) {
            return bar instanceof Bar.Io == other.bar instanceof Bar.Io
                    && Long.compareUnsigned(base, other.last) <= 0
                    && Long.compareUnsigned(other.base, last) <= 0;
        }
    }

    BarDecoder(MmioBus memory, PioBus ports) {
        this.memory = memory;
        this.ports = ports;
    }

    /**
     * A function's BARs have moved, appeared or disappeared.
     *
     * @param index device and function
     * @param bases by BAR: its address, or {@link EndpointHeader#NOT_DECODED}
     */
    synchronized void update(int index, PciFunction function, long[] bases) {
        boolean changed = false;
        for (int i = 0; i < EndpointHeader.BARS; i++) {
            int rank = index * EndpointHeader.BARS + i;
            Claim before = claims.get(rank);
            if (bases[i] == EndpointHeader.NOT_DECODED) {
                changed |= claims.remove(rank) != null;
            } else if (before == null || before.base != bases[i]) {
                Bar bar = function.bar(i).orElseThrow();
                long last = bases[i] + bar.size() - 1;
                claims.put(rank, new Claim(rank, function.name(), bar, bases[i], last));
                changed = true;
            }
        }
        if (changed) {
            settle();
        }
    }

    /** Leaves everything in place that stays where it is: other processors may be using it. */
    private void settle() {
        for (Claim claim : List.copyOf(attached.values())) {
            if (claims.get(claim.rank) != claim) {
                detach(claim);
            }
        }
        List<Claim> winners = new ArrayList<>();
        for (Claim claim : claims.values()) {
            if (winners.stream().noneMatch(claim::meets) && takesPlace(claim)) {
                winners.add(claim);
            }
        }
    }

    private boolean takesPlace(Claim claim) {
        if (attached.containsKey(claim.rank)) {
            return true;
        }
        // Weaker ones that were there alone; they are asked again after this one.
        attached.values().stream()
                .filter(claim::meets)
                .sorted(Comparator.comparingInt(Claim::rank))
                .toList()
                .forEach(this::detach);
        boolean free =
                switch (claim.bar) {
                    case Bar.Memory bar ->
                            memory.attachIfFree(claim.name, claim.base, bar.size(), bar.device());
                    case Bar.Io bar ->
                            claim.last < 1 << 16
                                    && ports.attachIfFree(
                                            claim.name,
                                            (int) claim.base,
                                            (int) bar.size(),
                                            bar.device());
                };
        if (free) {
            attached.put(claim.rank, claim);
        }
        return free;
    }

    private void detach(Claim claim) {
        attached.remove(claim.rank);
        switch (claim.bar) {
            case Bar.Memory bar -> memory.detach(claim.base);
            case Bar.Io bar -> ports.detach((int) claim.base);
        }
    }
}
