package org.javisor.virtio.net;

import org.javisor.network.LinkEnd;

/** The feature bits of a network device (virtio 1.2, 5.1.3), by number. */
final class NetFeature {
    /** The driver may leave checksums to the device. */
    static final int CSUM = 0;

    /** The device may leave checksums to the driver. */
    static final int GUEST_CSUM = 1;

    /** The driver may change what the device leaves to it. */
    static final int CTRL_GUEST_OFFLOADS = 2;

    static final int MTU = 3;
    static final int MAC = 5;
    static final int GUEST_TSO4 = 7;
    static final int GUEST_TSO6 = 8;
    static final int HOST_TSO4 = 11;
    static final int HOST_TSO6 = 12;

    /** A frame may be spread over several of the driver's buffers. */
    static final int MRG_RXBUF = 15;

    static final int STATUS = 16;
    static final int CTRL_VQ = 17;
    static final int CTRL_RX = 18;
    static final int CTRL_VLAN = 19;
    static final int MQ = 22;
    static final int CTRL_MAC_ADDR = 23;

    private static final int[] ALWAYS = {
        CSUM,
        GUEST_CSUM,
        CTRL_GUEST_OFFLOADS,
        MAC,
        GUEST_TSO4,
        GUEST_TSO6,
        HOST_TSO4,
        HOST_TSO6,
        MRG_RXBUF,
        STATUS,
        CTRL_VQ,
        CTRL_RX,
        CTRL_VLAN,
        CTRL_MAC_ADDR
    };

    /** What CTRL_GUEST_OFFLOADS can switch (5.1.6.5.7). */
    static final long GUEST_OFFLOADS = bit(GUEST_CSUM) | bit(GUEST_TSO4) | bit(GUEST_TSO6);

    private NetFeature() {}

    static long bit(int number) {
        return 1L << number;
    }

    static boolean in(long set, int number) {
        return (set >>> number & 1) != 0;
    }

    static long offered(boolean mtu, boolean severalQueues) {
        long set = (mtu ? bit(MTU) : 0) | (severalQueues ? bit(MQ) : 0);
        for (int number : ALWAYS) {
            set |= bit(number);
        }
        return set;
    }

    /** Whether each feature has those that it needs (5.1.3.1). */
    static boolean consistent(long set) {
        return (in(set, GUEST_CSUM) || !in(set, GUEST_TSO4) && !in(set, GUEST_TSO6))
                && (in(set, CSUM) || !in(set, HOST_TSO4) && !in(set, HOST_TSO6))
                && (in(set, CTRL_VQ)
                        || !in(set, CTRL_RX)
                                && !in(set, CTRL_VLAN)
                                && !in(set, MQ)
                                && !in(set, CTRL_MAC_ADDR)
                                && !in(set, CTRL_GUEST_OFFLOADS));
    }

    /** What the link may leave to a driver with these features. */
    static int linkOffloads(long set) {
        if (!in(set, GUEST_CSUM)) {
            return 0;
        }
        return LinkEnd.CHECKSUM
                | (in(set, GUEST_TSO4) ? LinkEnd.TSO4 : 0)
                | (in(set, GUEST_TSO6) ? LinkEnd.TSO6 : 0);
    }
}
