package org.javisor.network;

import java.nio.ByteBuffer;

/**
 * Does for a receiver what the sender of a frame has left to it: finishes checksums and cuts long
 * TCP segments. Malformed frames are dropped. Not thread-safe.
 */
public final class Segmenter {
    private static final int ETHERNET = 14;
    private static final int IPV4 = 20;
    private static final int IPV6 = 40;

    /** Ethernet, IPv4 and TCP with all the options they may have. */
    private static final int LONGEST_HEAD = ETHERNET + 60 + 60;

    private final ByteBuffer scratch = ByteBuffer.allocateDirect(Frame.MAXIMUM_LENGTH);
    private final ByteBuffer head = ByteBuffer.allocateDirect(LONGEST_HEAD);
    private final Frame out = new Frame();

    /**
     * Delivers a frame in the form that the receiver accepts.
     *
     * @return false if the receiver had no room for the first piece; the loss of later ones is
     *     theirs to repair who do so anyway
     */
    public boolean deliver(Frame frame, LinkEnd receiver) {
        if ((frame.neededOffloads() & ~receiver.offloads()) == 0) {
            return receiver.deliver(frame);
        }
        ByteBuffer packet = frame.flat(scratch);
        if (frame.gsoType() == Frame.GSO_NONE) {
            return !complete(frame, packet) || receiver.deliver(out.reset(scratch));
        }
        return cut(frame, packet, receiver);
    }

    /** The packet with its checksum, in {@code scratch}. */
    private boolean complete(Frame frame, ByteBuffer packet) {
        if (packet != scratch) {
            scratch.clear();
            scratch.put(packet.duplicate()).flip();
        }
        return finish(scratch, frame.checksumStart(), frame.checksumOffset());
    }

    /**
     * Replaces the partial sum by the checksum.
     *
     * @return false if there is no such place in the packet
     */
    static boolean finish(ByteBuffer packet, int start, int offset) {
        int length = packet.limit() - packet.position();
        if (start < 0 || offset < 0 || start + offset + 2 > length) {
            return false;
        }
        int from = packet.position() + start;
        int sum = Checksum.finish(Checksum.add(0, packet, from, length - start));
        // In UDP nothing but zero means that there is no checksum; elsewhere both are zero.
        packet.putShort(from + offset, (short) (sum == 0 ? 0xffff : sum));
        return true;
    }

    private boolean cut(Frame frame, ByteBuffer packet, LinkEnd receiver) {
        boolean four = frame.gsoType() == Frame.GSO_TCPV4;
        int base = packet.position();
        int total = packet.remaining();
        int type = total < ETHERNET + IPV4 ? 0 : packet.getShort(base + 12) & 0xffff;
        if (type != (four ? IpOutput.TYPE_IPV4 : IpOutput.TYPE_IPV6) || frame.gsoSize() <= 0) {
            return true;
        }
        int tcp = ETHERNET + (four ? (packet.get(base + ETHERNET) & 15) * 4 : IPV6);
        if (tcp < ETHERNET + IPV4 || total < tcp + TcpHeader.LENGTH) {
            return true;
        }
        int data = tcp + ((packet.get(base + tcp + 12) & 0xf0) >> 2);
        if (data < tcp + TcpHeader.LENGTH || data > total) {
            return true;
        }
        boolean first = true;
        for (int at = data; at < total || first; at += frame.gsoSize()) {
            int length = Math.min(frame.gsoSize(), total - at);
            int index = (at - data) / frame.gsoSize();
            writeHead(packet, four, tcp, data, at, length, index);
            out.reset(head).append(packet.slice(base + at, length));
            finishTcp(four, tcp);
            if (!receiver.deliver(out)) {
                return !first;
            }
            first = false;
        }
        return true;
    }

    /** A copy of the headers with what differs from segment to segment. */
    private void writeHead(
            ByteBuffer packet, boolean four, int tcp, int data, int at, int length, int index) {
        int base = packet.position();
        head.clear();
        head.put(0, packet, base, data);
        head.limit(data);
        int ipLength = data - ETHERNET + length;
        if (four) {
            head.putShort(ETHERNET + 2, (short) ipLength);
            head.putShort(ETHERNET + 4, (short) (head.getShort(ETHERNET + 4) + index));
            head.putShort(ETHERNET + 10, (short) 0);
            long sum = Checksum.add(0, head, ETHERNET, tcp - ETHERNET);
            head.putShort(ETHERNET + 10, (short) Checksum.finish(sum));
        } else {
            head.putShort(ETHERNET + 4, (short) (ipLength - IPV6));
        }
        head.putInt(tcp + 4, head.getInt(tcp + 4) + at - data);
        if (at + length < packet.remaining()) {
            int flags = head.get(tcp + 13) & ~(TcpHeader.FIN | TcpHeader.PSH);
            head.put(tcp + 13, (byte) flags);
        }
    }

    private void finishTcp(boolean four, int tcp) {
        head.putShort(tcp + 16, (short) 0);
        int addresses = four ? ETHERNET + 12 : ETHERNET + 8;
        long pseudo = Checksum.add(0, head, addresses, four ? 8 : 32);
        pseudo += IpOutput.TCP + out.length() - tcp;
        head.putShort(tcp + 16, (short) sum(pseudo, out, tcp));
    }

    /** The checksum of a frame from {@code start} on, as it goes into a header. */
    static int sum(long initial, Frame frame, int start) {
        long sum = initial;
        boolean odd = false;
        int skip = start;
        for (int i = 0; i < frame.parts(); i++) {
            ByteBuffer part = frame.part(i);
            int from = part.position() + skip;
            int length = part.remaining() - skip;
            int partial = Checksum.fold(Checksum.add(0, part, from, length));
            // RFC 1071, 2(B): bytes at odd places count the other way round.
            sum += odd ? (partial & 0xff) << 8 | partial >> 8 : partial;
            odd ^= (length & 1) != 0;
            skip = 0;
        }
        return Checksum.finish(sum);
    }
}
