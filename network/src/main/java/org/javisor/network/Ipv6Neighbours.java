package org.javisor.network;

import java.nio.ByteBuffer;

/**
 * ICMPv6: neighbour discovery and router advertisements (RFC 4861), with the name server's address
 * (RFC 8106), and echo (RFC 4443).
 */
final class Ipv6Neighbours {
    private static final int ECHO = 128;
    private static final int ECHO_REPLY = 129;
    private static final int ROUTER_SOLICITATION = 133;
    private static final int ROUTER_ADVERTISEMENT = 134;
    private static final int NEIGHBOUR_SOLICITATION = 135;
    private static final int NEIGHBOUR_ADVERTISEMENT = 136;
    private static final int CHECKSUM = 2;
    private static final int LIFETIME = 1800;
    private static final int PREFIX_LIFETIME = 86400;
    private static final IpAddress ALL_NODES = new IpAddress(0xff02L << 48, 1);

    private final IpOutput output;
    private final UserNetworkConfig config;

    Ipv6Neighbours(IpOutput output, UserNetworkConfig config) {
        this.output = output;
        this.config = config;
    }

    void receive(
            ByteBuffer packet,
            int start,
            int length,
            IpAddress source,
            IpAddress target,
            long mac) {
        if (length < 8) {
            return;
        }
        switch (packet.get(start) & 0xff) {
            case ROUTER_SOLICITATION -> advertiseRouter(source);
            case NEIGHBOUR_SOLICITATION -> {
                if (length >= 24) {
                    advertiseSelf(IpAddress.v6(packet, start + 8), source);
                }
            }
            case ECHO -> {
                if (UserNetworkConfig.isGateway(target) || UserNetworkConfig.isNameServer(target)) {
                    answer(packet.slice(start, length), target, source);
                }
            }
            default -> {}
        }
    }

    private void answer(ByteBuffer echo, IpAddress from, IpAddress to) {
        Frame frame = output.begin(to);
        ByteBuffer head = frame.part(0);
        int at = output.transport(to);
        head.putInt(at, ECHO_REPLY << 24);
        head.putInt(at + 4, echo.getInt(4));
        output.endHead(frame, at + 8);
        frame.append(echo.slice(8, echo.limit() - 8));
        if (frame.length() - IpOutput.ETHERNET <= output.mtu()) {
            output.send(frame, from, to, IpOutput.ICMPV6, CHECKSUM);
        }
    }

    private void advertiseRouter(IpAddress source) {
        boolean anonymous = source.high() == 0 && source.low() == 0;
        IpAddress to = anonymous ? ALL_NODES : source;
        Frame frame = output.begin(to);
        ByteBuffer head = frame.part(0);
        int at = output.transport(to);
        head.putInt(at, ROUTER_ADVERTISEMENT << 24);
        // Hop limit 64, no DHCPv6; a restricted network is no way to anywhere else.
        head.putInt(at + 4, 64 << 24 | (config.restrict() ? 0 : LIFETIME));
        head.putLong(at + 8, 0);
        int option = at + 16;
        head.putShort(option, (short) 0x0101);
        MacAddress.write(head, option + 2, output.ownMac().value());
        option += 8;
        head.putLong(option, 5L << 56 | 1L << 48 | output.mtu());
        option += 8;
        // The prefix is on the link, and addresses may be made with it.
        head.putInt(option, 3 << 24 | 4 << 16 | 64 << 8 | 0xc0);
        head.putInt(option + 4, PREFIX_LIFETIME);
        head.putInt(option + 8, PREFIX_LIFETIME / 2);
        head.putInt(option + 12, 0);
        head.putLong(option + 16, UserNetworkConfig.NETWORK6);
        head.putLong(option + 24, 0);
        option += 32;
        if (!config.restrict()) {
            head.putInt(option, 25 << 24 | 3 << 16);
            head.putInt(option + 4, LIFETIME);
            UserNetworkConfig.NAME_SERVER6.write(head, option + 8);
            option += 24;
        }
        output.endHead(frame, option);
        output.send(frame, UserNetworkConfig.LINK_LOCAL, to, IpOutput.ICMPV6, CHECKSUM);
    }

    private void advertiseSelf(IpAddress wanted, IpAddress source) {
        boolean anonymous = source.high() == 0 && source.low() == 0;
        if (!UserNetworkConfig.isGateway(wanted) && !UserNetworkConfig.isNameServer(wanted)) {
            return;
        }
        IpAddress to = anonymous ? ALL_NODES : source;
        Frame frame = output.begin(to);
        ByteBuffer head = frame.part(0);
        int at = output.transport(to);
        head.putInt(at, NEIGHBOUR_ADVERTISEMENT << 24);
        // Router, solicited, override
        head.putInt(at + 4, anonymous ? 0xa0000000 : 0xe0000000);
        wanted.write(head, at + 8);
        head.putShort(at + 24, (short) 0x0201);
        MacAddress.write(head, at + 26, output.ownMac().value());
        output.endHead(frame, at + 32);
        output.send(frame, wanted, to, IpOutput.ICMPV6, CHECKSUM);
    }

    /** Asks where that address is. */
    void ask(IpAddress target) {
        // The solicited-node address (RFC 4291, 2.7.1)
        IpAddress group = new IpAddress(0xff02L << 48, 0x1_ff00_0000L | target.low() & 0xff_ffffL);
        Frame frame = output.begin(group);
        ByteBuffer head = frame.part(0);
        int at = output.transport(group);
        head.putInt(at, NEIGHBOUR_SOLICITATION << 24);
        head.putInt(at + 4, 0);
        target.write(head, at + 8);
        head.putShort(at + 24, (short) 0x0101);
        MacAddress.write(head, at + 26, output.ownMac().value());
        output.endHead(frame, at + 32);
        output.send(frame, UserNetworkConfig.LINK_LOCAL, group, IpOutput.ICMPV6, CHECKSUM);
    }
}
