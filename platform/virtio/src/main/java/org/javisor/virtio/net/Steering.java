package org.javisor.virtio.net;

import java.nio.ByteBuffer;

/**
 * Which receive queue a frame goes to: the one whose transmit queue its conversation last used
 * (virtio 1.2, 5.1.6.5.6.1). Without locks: a frame in the wrong queue is late at worst.
 */
final class Steering {
    private static final int SLOTS = 256;
    private static final int IPV4 = 0x0800;
    private static final int IPV6 = 0x86dd;

    private final byte[] queues = new byte[SLOTS];
    private volatile int pairs = 1;

    void use(int count) {
        pairs = count;
    }

    int pairs() {
        return pairs;
    }

    void sent(ByteBuffer head, int queue) {
        if (pairs > 1) {
            queues[slot(head)] = (byte) queue;
        }
    }

    int queueFor(ByteBuffer head) {
        int count = pairs;
        return count == 1 ? 0 : Math.min(count - 1, queues[slot(head)]);
    }

    /** The same for both directions of a conversation. */
    private static int slot(ByteBuffer head) {
        int at = head.position();
        if (head.remaining() < 38) {
            return 0;
        }
        int type = head.getShort(at + 12) & 0xffff;
        int hash;
        if (type == IPV4) {
            int ports = at + 14 + (head.get(at + 14) & 15) * 4;
            hash = head.getInt(at + 26) ^ head.getInt(at + 30);
            if (ports + 4 <= head.limit()) {
                hash ^= head.getShort(ports) ^ head.getShort(ports + 2);
            }
        } else if (type == IPV6 && head.remaining() >= 58) {
            hash = head.getInt(at + 34) ^ head.getInt(at + 50);
            hash ^= head.getShort(at + 54) ^ head.getShort(at + 56);
        } else {
            return 0;
        }
        hash *= 0x9e3779b1;
        return hash >>> 24;
    }
}
