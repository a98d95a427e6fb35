package org.javisor.virtio.net;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.javisor.network.Frame;
import org.javisor.virtio.DescriptorChain;

/** What precedes each frame in a buffer: {@code struct virtio_net_hdr} (virtio 1.2, 5.1.6). */
final class PacketHeader {
    static final int LENGTH = 12;

    private static final int NEEDS_CSUM = 1;
    private static final int ECN = 0x80;

    private static final ValueLayout.OfShort LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Ethernet, IP and TCP without options; what the headers of something to be cut have at least.
     */
    private static final int SHORTEST_HEADERS = 54;

    private final ByteBuffer bytes = ByteBuffer.allocateDirect(LENGTH);
    private final MemorySegment segment = MemorySegment.ofBuffer(bytes);

    private short field(int offset) {
        return segment.get(LE16, offset);
    }

    /**
     * Reads the header at the start of a chain into the frame that follows it there.
     *
     * @param frame complete but for what is left to do
     * @param features in force
     * @return false if it makes no sense: the frame is to be dropped
     */
    boolean read(DescriptorChain chain, Frame frame, long features) {
        if (chain.read(0, segment, 0, LENGTH) < LENGTH) {
            return false;
        }
        int flags = segment.get(ValueLayout.JAVA_BYTE, 0);
        int type = segment.get(ValueLayout.JAVA_BYTE, 1) & ~ECN;
        if ((flags & NEEDS_CSUM) != 0) {
            int start = field(6) & 0xffff;
            int offset = field(8) & 0xffff;
            if (!NetFeature.in(features, NetFeature.CSUM) || start + offset + 2 > frame.length()) {
                return false;
            }
            frame.leaveChecksum(start, offset);
        }
        return switch (type) {
            case Frame.GSO_NONE -> true;
            case Frame.GSO_TCPV4 -> cut(frame, type, features, NetFeature.HOST_TSO4);
            case Frame.GSO_TCPV6 -> cut(frame, type, features, NetFeature.HOST_TSO6);
            default -> false;
        };
    }

    private boolean cut(Frame frame, int type, long features, int feature) {
        int size = field(4) & 0xffff;
        if (size == 0
                || !frame.needsChecksum()
                || !NetFeature.in(features, feature)
                || frame.length() < SHORTEST_HEADERS) {
            return false;
        }
        frame.leaveSegmentation(type, size);
        return true;
    }

    /** Writes the header of a frame to the start of a chain. */
    void write(DescriptorChain chain, Frame frame, int buffers) {
        int flags = frame.needsChecksum() ? NEEDS_CSUM : 0;
        segment.set(ValueLayout.JAVA_BYTE, 0, (byte) flags);
        segment.set(ValueLayout.JAVA_BYTE, 1, (byte) frame.gsoType());
        segment.set(LE16, 2, (short) headers(frame));
        segment.set(LE16, 4, (short) frame.gsoSize());
        segment.set(LE16, 6, (short) (frame.needsChecksum() ? frame.checksumStart() : 0));
        segment.set(LE16, 8, (short) frame.checksumOffset());
        segment.set(LE16, 10, (short) buffers);
        chain.write(0, segment, 0, LENGTH);
    }

    /** How long the headers of a frame to be cut are, TCP's included; 0 for others. */
    private static int headers(Frame frame) {
        int start = frame.checksumStart();
        ByteBuffer head = frame.part(0);
        if (frame.gsoType() == Frame.GSO_NONE || start < 0 || start + 13 > head.remaining()) {
            return 0;
        }
        return start + ((head.get(head.position() + start + 12) & 0xf0) >> 2);
    }
}
