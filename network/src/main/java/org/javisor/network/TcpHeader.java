package org.javisor.network;

import java.nio.ByteBuffer;

/** A TCP header that has come in (RFC 9293, 3.1), checked for its lengths. Reusable. */
final class TcpHeader {
    static final int LENGTH = 20;
    static final int FIN = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int PSH = 8;
    static final int ACK = 16;

    /** The largest window scale that RFC 7323, 2.3 allows. */
    private static final int MAXIMUM_SHIFT = 14;

    private static final int OPTION_END = 0;
    private static final int OPTION_NOP = 1;
    private static final int OPTION_MSS = 2;
    private static final int OPTION_WINDOW_SCALE = 3;

    int sourcePort;
    int targetPort;
    int sequence;
    int acknowledgment;
    int flags;

    /** As it stands in the header, not scaled. */
    int window;

    /** The option's value; 0 if there is none. */
    int maximumSegment;

    /** The option's value; -1 if there is none. */
    int windowShift;

    /** The data: from its position to its limit. */
    ByteBuffer data;

    /**
     * Reads a segment.
     *
     * @param start where the header begins
     * @param length of header and data, within the buffer's limit
     * @return false if it is malformed
     */
    boolean read(ByteBuffer packet, int start, int length) {
        if (length < LENGTH) {
            return false;
        }
        int headerLength = (packet.get(start + 12) & 0xf0) >> 2;
        if (headerLength < LENGTH || headerLength > length) {
            return false;
        }
        sourcePort = packet.getShort(start) & 0xffff;
        targetPort = packet.getShort(start + 2) & 0xffff;
        sequence = packet.getInt(start + 4);
        acknowledgment = packet.getInt(start + 8);
        flags = packet.get(start + 13) & 0x3f;
        window = packet.getShort(start + 14) & 0xffff;
        readOptions(packet, start + LENGTH, start + headerLength);
        data = packet.slice(start + headerLength, length - headerLength);
        return sourcePort != 0 && targetPort != 0;
    }

    private void readOptions(ByteBuffer packet, int at, int end) {
        maximumSegment = 0;
        windowShift = -1;
        while (at < end && packet.get(at) != OPTION_END) {
            if (packet.get(at) == OPTION_NOP) {
                at++;
                continue;
            }
            int length = at + 1 < end ? packet.get(at + 1) & 0xff : 0;
            if (length < 2 || at + length > end) {
                return;
            }
            if (packet.get(at) == OPTION_MSS && length == 4) {
                maximumSegment = packet.getShort(at + 2) & 0xffff;
            } else if (packet.get(at) == OPTION_WINDOW_SCALE && length == 3) {
                windowShift = Math.min(MAXIMUM_SHIFT, packet.get(at + 2) & 0xff);
            }
            at += length;
        }
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** The sequence numbers it takes: data, SYN and FIN. */
    int span() {
        return data.remaining() + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
    }

    /** Whether sequence number {@code a} comes before {@code b}. */
    static boolean before(int a, int b) {
        return a - b < 0;
    }
}
