package org.javisor.network;

import java.nio.ByteBuffer;

/**
 * An Ethernet frame, without preamble and frame check sequence, and what its sender has left to do
 * about it, as in virtio 1.2, 5.1.6 ({@code virtio_net_hdr}). Reusable; not thread-safe.
 *
 * <p>The bytes are the concatenation of {@link #parts} buffers, each from its position to its
 * limit. The first holds at least all headers. Readers leave positions and limits alone.
 */
public final class Frame {
    /** The longest frame: an Ethernet header with a VLAN tag and the longest IP packet. */
    public static final int MAXIMUM_LENGTH = 18 + 65535;

    /** Not to be cut. */
    public static final int GSO_NONE = 0;

    /** TCP over IPv4, to be cut into segments of {@link #gsoSize} bytes of data. */
    public static final int GSO_TCPV4 = 1;

    /** TCP over IPv6. */
    public static final int GSO_TCPV6 = 4;

    private static final int MAXIMUM_PARTS = 8;

    private final ByteBuffer[] parts = new ByteBuffer[MAXIMUM_PARTS];
    private int count;
    private int length;
    private int checksumStart = -1;
    private int checksumOffset;
    private int gsoType;
    private int gsoSize;

    /** Starts over with one part, which is not copied, and nothing left to do. */
    public Frame reset(ByteBuffer head) {
        for (int i = 0; i < count; i++) {
            parts[i] = null;
        }
        parts[0] = head;
        count = 1;
        length = head.remaining();
        checksumStart = -1;
        checksumOffset = 0;
        gsoType = GSO_NONE;
        gsoSize = 0;
        return this;
    }

    /** Adds a part, which is not copied. */
    public Frame append(ByteBuffer part) {
        parts[count++] = part;
        length += part.remaining();
        return this;
    }

    public int parts() {
        return count;
    }

    public ByteBuffer part(int index) {
        return parts[index];
    }

    /** Bytes in all. */
    public int length() {
        return length;
    }

    /**
     * Leaves the checksum to the receiver: the sum from {@code start} to the end goes to {@code
     * start + offset}, where the pseudo-header's sum stands already.
     */
    public Frame leaveChecksum(int start, int offset) {
        checksumStart = start;
        checksumOffset = offset;
        return this;
    }

    /** Leaves the cutting to the receiver. */
    public Frame leaveSegmentation(int type, int size) {
        gsoType = type;
        gsoSize = size;
        return this;
    }

    /** Leaves the same to the receiver as another frame does. */
    Frame leaveAs(Frame other) {
        checksumStart = other.checksumStart;
        checksumOffset = other.checksumOffset;
        gsoType = other.gsoType;
        gsoSize = other.gsoSize;
        return this;
    }

    public boolean needsChecksum() {
        return checksumStart >= 0;
    }

    /** Where the sum begins; meaningless unless {@link #needsChecksum}. */
    public int checksumStart() {
        return checksumStart;
    }

    /** Where it goes, from {@link #checksumStart}. */
    public int checksumOffset() {
        return checksumOffset;
    }

    /** One of the GSO constants. */
    public int gsoType() {
        return gsoType;
    }

    /** Bytes of data in each segment; meaningless with {@link #GSO_NONE}. */
    public int gsoSize() {
        return gsoSize;
    }

    /** The {@link LinkEnd} offloads that a receiver of this must accept. */
    public int neededOffloads() {
        int needed = needsChecksum() ? LinkEnd.CHECKSUM : 0;
        return switch (gsoType) {
            case GSO_TCPV4 -> needed | LinkEnd.TSO4;
            case GSO_TCPV6 -> needed | LinkEnd.TSO6;
            default -> needed;
        };
    }

    /** Copies all bytes to {@code target}, which must have room. */
    public void copyTo(ByteBuffer target) {
        for (int i = 0; i < count; i++) {
            target.put(parts[i].duplicate());
        }
    }

    /** The bytes in one buffer: the only part, or else a copy in {@code scratch}. */
    public ByteBuffer flat(ByteBuffer scratch) {
        if (count == 1) {
            return parts[0];
        }
        scratch.clear();
        copyTo(scratch);
        return scratch.flip();
    }
}
