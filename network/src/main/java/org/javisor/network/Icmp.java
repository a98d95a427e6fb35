package org.javisor.network;

import java.nio.ByteBuffer;

/**
 * ICMP echo (RFC 792). The network's own addresses answer; echoes for others are answered as
 * prohibited, because sending them on takes rights that a process does not have.
 */
final class Icmp {
    private static final int ECHO_REPLY = 0;
    private static final int ECHO = 8;
    private static final int UNREACHABLE = 3;
    private static final int HEADER = 8;
    private static final int MAXIMUM_ECHO = 65535 - IpOutput.IPV4_HEADER;

    private final IpOutput output;
    private final UserNetworkConfig config;

    Icmp(IpOutput output, UserNetworkConfig config) {
        this.output = output;
        this.config = config;
    }

    void receive(ByteBuffer packet, int start, int length, IpAddress source, IpAddress target) {
        if (length < HEADER
                || length > MAXIMUM_ECHO
                || packet.get(start) != ECHO
                || Checksum.finish(Checksum.add(0, packet, start, length)) != 0) {
            return;
        }
        if (UserNetworkConfig.isGateway(target) || UserNetworkConfig.isNameServer(target)) {
            answer(packet.slice(start, length), target, source);
        } else if (!config.restrict() && UserNetworkConfig.mayReach(target)) {
            unreachable(packet, start, length, source, target);
        }
    }

    /** {@code echo} is the whole message. */
    private void answer(ByteBuffer echo, IpAddress from, IpAddress to) {
        Frame frame = output.begin(to);
        ByteBuffer head = frame.part(0);
        int start = output.transport(to);
        head.putInt(start, ECHO_REPLY);
        head.putInt(start + 4, echo.getInt(4));
        output.endHead(frame, start + HEADER);
        frame.append(echo.slice(HEADER, echo.limit() - HEADER));
        head.putShort(start + 2, (short) Segmenter.sum(0, frame, start));
        output.send(frame, from, to, IpOutput.ICMP, -1);
    }

    /** "Communication administratively prohibited" is the honest answer of a router that cannot. */
    private void unreachable(
            ByteBuffer packet, int start, int length, IpAddress source, IpAddress target) {
        Frame frame = output.begin(source);
        ByteBuffer head = frame.part(0);
        int at = output.transport(source);
        head.putInt(at, UNREACHABLE << 24 | 13 << 16);
        head.putInt(at + 4, 0);
        // The packet's header, whose other fields the guest does not compare, and eight bytes more.
        int quoted = at + HEADER;
        head.putInt(quoted, 0x45000000 | IpOutput.IPV4_HEADER + length & 0xffff);
        head.putInt(quoted + 4, 0);
        head.putInt(quoted + 8, 64 << 24 | IpOutput.ICMP << 16);
        source.write(head, quoted + 12);
        target.write(head, quoted + 16);
        head.put(quoted + 20, packet, start, HEADER);
        output.endHead(frame, quoted + 20 + HEADER);
        head.putShort(at + 2, (short) Segmenter.sum(0, frame, at));
        output.send(frame, UserNetworkConfig.GATEWAY, source, IpOutput.ICMP, -1);
    }
}
