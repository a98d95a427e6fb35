package org.javisor.network;

import java.nio.ByteBuffer;

/** Sends TCP segments to the guest. */
final class TcpOutput {
    /** What an IP packet can hold besides its own header and TCP's without options, both kinds. */
    private static final int MAXIMUM_DATA = 65535 - 40 - TcpHeader.LENGTH;

    private static final int CHECKSUM = 16;
    private static final int HANDSHAKE_OPTIONS = 8;

    private final IpOutput ip;

    TcpOutput(IpOutput ip) {
        this.ip = ip;
    }

    /** The most data that one call may send in segments of {@code mss} bytes. */
    int maximumData(Flow flow, int mss) {
        int needed = flow.guest().isV4() ? LinkEnd.TSO4 : LinkEnd.TSO6;
        return ip.accepts(needed | LinkEnd.CHECKSUM) ? MAXIMUM_DATA / mss * mss : mss;
    }

    /** What fits one packet of the link besides headers. */
    int maximumSegment(Flow flow) {
        return ip.mtu() - ip.headerLength(flow.guest()) - TcpHeader.LENGTH;
    }

    /**
     * Sends a segment or, where the card cuts it, several.
     *
     * @param window as it goes into the header
     * @param shift the window scale to offer with a SYN, -1 for none
     * @param queue where the data is; looked at only if {@code length} is not 0
     * @return false if the card has no room now
     */
    boolean send(
            Flow flow,
            int flags,
            int sequence,
            int acknowledgment,
            int window,
            int shift,
            ByteQueue queue,
            int offset,
            int length,
            int mss) {
        Frame frame = ip.begin(flow.guest());
        int start = ip.transport(flow.guest());
        ByteBuffer head = frame.part(0);
        boolean syn = (flags & TcpHeader.SYN) != 0;
        int headerLength = TcpHeader.LENGTH + (syn ? HANDSHAKE_OPTIONS : 0);
        head.putShort(start, (short) flow.peerPort());
        head.putShort(start + 2, (short) flow.guestPort());
        head.putInt(start + 4, sequence);
        head.putInt(start + 8, acknowledgment);
        head.put(start + 12, (byte) (headerLength << 2));
        head.put(start + 13, (byte) flags);
        head.putShort(start + 14, (short) window);
        head.putInt(start + 16, 0);
        if (syn) {
            head.putInt(start + 20, 2 << 24 | 4 << 16 | maximumSegment(flow));
            // Without the option three no-operations and an end keep the length.
            head.putInt(start + 24, shift < 0 ? 0x01010100 : 0x01030300 | shift);
        }
        ip.endHead(frame, start + headerLength);
        if (length > 0) {
            queue.appendTo(frame, offset, length);
        }
        if (length > mss) {
            frame.leaveSegmentation(flow.guest().isV4() ? Frame.GSO_TCPV4 : Frame.GSO_TCPV6, mss);
        }
        return ip.send(frame, flow.peer(), flow.guest(), IpOutput.TCP, CHECKSUM);
    }

    /** Answers a segment that belongs to no connection (RFC 9293, 3.10.7.1). */
    void refuse(Flow flow, TcpHeader segment) {
        if (segment.has(TcpHeader.RST)) {
            return;
        }
        if (segment.has(TcpHeader.ACK)) {
            send(flow, TcpHeader.RST, segment.acknowledgment, 0, 0, -1, null, 0, 0, 1);
        } else {
            int ack = segment.sequence + segment.span();
            send(flow, TcpHeader.RST | TcpHeader.ACK, 0, ack, 0, -1, null, 0, 0, 1);
        }
    }
}
