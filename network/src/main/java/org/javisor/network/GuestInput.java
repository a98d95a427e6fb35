package org.javisor.network;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Takes apart what the guest sends: Ethernet, ARP, IPv4, IPv6. Malformed packets are dropped
 * without a word. Used under its network's lock.
 */
final class GuestInput {
    private static final int DHCP_SERVER = 67;

    private final UserNetworkConfig config;
    private final IpOutput output;
    private final TcpRelay tcp;
    private final UdpRelay udp;
    private final Arp arp;
    private final Icmp icmp;
    private final Ipv6Neighbours neighbours;
    private final DhcpServer dhcp;
    private final Ipv4Reassembly reassembly = new Ipv4Reassembly();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(Frame.MAXIMUM_LENGTH);

    /** Where forwarded ports lead: the address that was last heard of. */
    private IpAddress guest = UserNetworkConfig.FIRST_GUEST;

    GuestInput(UserNetworkConfig config, IpOutput output, TcpRelay tcp, UdpRelay udp) {
        this.config = config;
        this.output = output;
        this.tcp = tcp;
        this.udp = udp;
        arp = new Arp(output);
        icmp = new Icmp(output, config);
        neighbours = new Ipv6Neighbours(output, config);
        dhcp = new DhcpServer(output, config);
        output.setAsker(
                target -> {
                    if (target.isV4()) {
                        arp.ask(target);
                    } else {
                        neighbours.ask(target);
                    }
                });
    }

    /** The guest that a forwarded port leads to. */
    IpAddress guest(InetAddress client) {
        return guest;
    }

    /** Who the guest shall believe its client is: the router, where the client is this host. */
    IpAddress peer(InetAddress client) {
        IpAddress address = IpAddress.of(client);
        boolean shown = address.isV4() && !client.isLoopbackAddress();
        return shown && UserNetworkConfig.mayReach(address) && !UserNetworkConfig.isLocal(address)
                ? address
                : UserNetworkConfig.GATEWAY;
    }

    void receive(Frame frame) {
        if (frame.length() < IpOutput.ETHERNET || frame.length() > Frame.MAXIMUM_LENGTH) {
            return;
        }
        // From zero on, so that headers are at absolute places.
        ByteBuffer packet = frame.flat(scratch);
        packet = packet.position() == 0 ? packet : packet.slice();
        long target = MacAddress.read(packet, 0);
        if (target != output.ownMac().value() && !MacAddress.isGroup(target)) {
            return;
        }
        long source = MacAddress.read(packet, 6);
        switch (packet.getShort(12) & 0xffff) {
            case IpOutput.TYPE_ARP -> {
                arp.receive(packet).ifPresent(address -> heard(address, source));
            }
            case IpOutput.TYPE_IPV4 -> ipv4(frame, packet, source);
            case IpOutput.TYPE_IPV6 -> ipv6(frame, packet, source);
            default -> {}
        }
    }

    /** Only addresses of this network's are learned: a guest cannot make itself out as another. */
    private void heard(IpAddress address, long mac) {
        if (MacAddress.isGroup(mac)
                || !UserNetworkConfig.isLocal(address)
                || UserNetworkConfig.isGateway(address)
                || UserNetworkConfig.isNameServer(address)) {
            return;
        }
        if (address.isV4()) {
            guest = address;
        }
        if (output.learn(address, mac)) {
            tcp.guestFound();
        }
    }

    // IPv4

    private void ipv4(Frame frame, ByteBuffer packet, long mac) {
        int base = IpOutput.ETHERNET;
        if (packet.limit() < base + IpOutput.IPV4_HEADER || packet.get(base) >>> 4 != 4) {
            return;
        }
        int headerLength = (packet.get(base) & 15) * 4;
        int total = packet.getShort(base + 2) & 0xffff;
        if (headerLength < IpOutput.IPV4_HEADER
                || total < headerLength
                || base + total > packet.limit()
                || Checksum.finish(Checksum.add(0, packet, base, headerLength)) != 0) {
            return;
        }
        IpAddress source = IpAddress.v4(packet.getInt(base + 12));
        IpAddress target = IpAddress.v4(packet.getInt(base + 16));
        int protocol = packet.get(base + 9) & 0xff;
        int start = base + headerLength;
        int length = total - headerLength;
        boolean checked = frame.needsChecksum();
        int fragment = packet.getShort(base + 6) & 0x3fff;
        if (fragment != 0) {
            Optional<ByteBuffer> whole =
                    reassembly.add(
                            source,
                            target,
                            protocol,
                            packet.getShort(base + 4),
                            (fragment & 0x1fff) * 8,
                            (fragment & 0x2000) != 0,
                            packet.slice(start, length));
            if (whole.isEmpty()) {
                return;
            }
            packet = whole.get();
            start = 0;
            length = packet.limit();
            checked = false;
        }
        if (isDhcp(packet, start, length, protocol)) {
            dhcp.receive(packet.slice(start + 8, length - 8), mac);
            return;
        }
        if (source.v4() == 0 || !UserNetworkConfig.isLocal(source)) {
            return;
        }
        heard(source, mac);
        transport(packet, start, length, source, target, protocol, checked);
    }

    private static boolean isDhcp(ByteBuffer packet, int start, int length, int protocol) {
        return protocol == IpOutput.UDP
                && length >= 8
                && (packet.getShort(start + 2) & 0xffff) == DHCP_SERVER;
    }

    // IPv6

    private void ipv6(Frame frame, ByteBuffer packet, long mac) {
        int base = IpOutput.ETHERNET;
        if (packet.limit() < base + IpOutput.IPV6_HEADER || (packet.get(base) >>> 4 & 15) != 6) {
            return;
        }
        int length = packet.getShort(base + 4) & 0xffff;
        int start = base + IpOutput.IPV6_HEADER;
        if (start + length > packet.limit()) {
            return;
        }
        IpAddress source = IpAddress.v6(packet, base + 8);
        IpAddress target = IpAddress.v6(packet, base + 24);
        // Extension headers are not followed: nothing that reaches this router needs them.
        int protocol = packet.get(base + 6) & 0xff;
        if (source.isV4() || target.isV4()) {
            return;
        }
        boolean unspecified = source.high() == 0 && source.low() == 0;
        if (!unspecified) {
            if (!UserNetworkConfig.isLocal(source)) {
                return;
            }
            heard(source, mac);
        }
        if (protocol == IpOutput.ICMPV6) {
            if (sum(packet, start, length, source, target, protocol) == 0) {
                neighbours.receive(packet, start, length, source, target, mac);
            }
        } else if (!unspecified) {
            transport(packet, start, length, source, target, protocol, frame.needsChecksum());
        }
    }

    // Both

    private void transport(
            ByteBuffer packet,
            int start,
            int length,
            IpAddress source,
            IpAddress target,
            int protocol,
            boolean checked) {
        switch (protocol) {
            case IpOutput.TCP -> {
                if (checked || sum(packet, start, length, source, target, protocol) == 0) {
                    tcp.receive(source, target, packet, start, length);
                }
            }
            case IpOutput.UDP -> {
                boolean none = length >= 8 && packet.getShort(start + 6) == 0;
                if (checked || none || sum(packet, start, length, source, target, protocol) == 0) {
                    udp.receive(source, target, packet, start, length);
                }
            }
            case IpOutput.ICMP -> icmp.receive(packet, start, length, source, target);
            default -> {}
        }
    }

    /** 0 for a segment whose checksum is right. */
    private static int sum(
            ByteBuffer packet,
            int start,
            int length,
            IpAddress source,
            IpAddress target,
            int protocol) {
        long pseudo = Checksum.pseudoHeader(source, target, protocol, length);
        return Checksum.finish(Checksum.add(pseudo, packet, start, length));
    }
}
