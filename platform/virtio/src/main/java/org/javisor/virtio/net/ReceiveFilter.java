package org.javisor.virtio.net;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Set;
import org.javisor.network.MacAddress;

/**
 * Which frames a driver wants (virtio 1.2, 5.1.6.5.1 to 5.1.6.5.3). Immutable, so that a frame sees
 * one state of it.
 *
 * @param everything promiscuous
 * @param allGroups every multicast address
 * @param mac the card's own address
 * @param addresses others that are wanted, of both kinds
 * @param vlans that are wanted; all of them unless {@code vlansFiltered}
 */
record ReceiveFilter(
        boolean everything,
        boolean allGroups,
        long mac,
        Set<Long> addresses,
        boolean vlansFiltered,
        BitSet vlans) {
    private static final int TYPE_VLAN = 0x8100;
    private static final int HEADER = 14;

    /** Everything passes until the driver says what it wants. */
    static ReceiveFilter initial(long mac, boolean vlansFiltered) {
        return new ReceiveFilter(true, false, mac, Set.of(), vlansFiltered, new BitSet());
    }

    ReceiveFilter withEverything(boolean on) {
        return new ReceiveFilter(on, allGroups, mac, addresses, vlansFiltered, vlans);
    }

    ReceiveFilter withAllGroups(boolean on) {
        return new ReceiveFilter(everything, on, mac, addresses, vlansFiltered, vlans);
    }

    ReceiveFilter withMac(long address) {
        return new ReceiveFilter(everything, allGroups, address, addresses, vlansFiltered, vlans);
    }

    ReceiveFilter withAddresses(Set<Long> set) {
        return new ReceiveFilter(everything, allGroups, mac, Set.copyOf(set), vlansFiltered, vlans);
    }

    ReceiveFilter withVlan(int id, boolean on) {
        BitSet set = (BitSet) vlans.clone();
        set.set(id, on);
        return new ReceiveFilter(everything, allGroups, mac, addresses, vlansFiltered, set);
    }

    /**
     * @param head the frame's first part
     */
    boolean passes(ByteBuffer head) {
        int at = head.position();
        if (head.remaining() < HEADER) {
            return false;
        }
        if (vlansFiltered
                && (head.getShort(at + 12) & 0xffff) == TYPE_VLAN
                && head.remaining() >= HEADER + 2
                && !vlans.get(head.getShort(at + 14) & 0xfff)) {
            return false;
        }
        if (everything) {
            return true;
        }
        long target = (head.getInt(at) & 0xffff_ffffL) << 16 | head.getShort(at + 4) & 0xffff;
        return target == mac
                || target == MacAddress.BROADCAST.value()
                || allGroups && (target >>> 40 & 1) != 0
                || addresses.contains(target);
    }
}
