package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.Optional;

/** The Address Resolution Protocol (RFC 826) for Ethernet and IPv4. */
final class Arp {
    private static final int BASE = IpOutput.ETHERNET;
    private static final int LENGTH = 28;
    private static final int REQUEST = 1;
    private static final int REPLY = 2;

    private final IpOutput output;

    Arp(IpOutput output) {
        this.output = output;
    }

    /**
     * Answers requests for this network's own addresses.
     *
     * @return the sender's IP address, if it tells one
     */
    Optional<IpAddress> receive(ByteBuffer packet) {
        if (packet.limit() < BASE + LENGTH
                || packet.getInt(BASE) != (1 << 16 | IpOutput.TYPE_IPV4)
                || packet.getShort(BASE + 4) != 0x0604) {
            return Optional.empty();
        }
        int operation = packet.getShort(BASE + 6);
        long sender = MacAddress.read(packet, BASE + 8);
        IpAddress address = IpAddress.v4(packet.getInt(BASE + 14));
        IpAddress wanted = IpAddress.v4(packet.getInt(BASE + 24));
        boolean ours =
                UserNetworkConfig.isGateway(wanted) || UserNetworkConfig.isNameServer(wanted);
        if (operation == REQUEST && ours) {
            send(REPLY, sender, wanted, sender, address);
        }
        // Zero is a probe for an address in use (RFC 5227), not yet its owner.
        return address.v4() == 0 ? Optional.empty() : Optional.of(address);
    }

    /** Asks where that address is. */
    void ask(IpAddress target) {
        send(REQUEST, MacAddress.BROADCAST.value(), UserNetworkConfig.GATEWAY, 0, target);
    }

    private void send(int operation, long mac, IpAddress own, long targetMac, IpAddress target) {
        Frame frame = output.begin(target);
        ByteBuffer head = frame.part(0);
        head.putInt(BASE, 1 << 16 | IpOutput.TYPE_IPV4);
        head.putShort(BASE + 4, (short) 0x0604);
        head.putShort(BASE + 6, (short) operation);
        MacAddress.write(head, BASE + 8, output.ownMac().value());
        own.write(head, BASE + 14);
        MacAddress.write(head, BASE + 18, targetMac);
        target.write(head, BASE + 24);
        output.endHead(frame, BASE + LENGTH);
        output.sendRaw(frame, mac, IpOutput.TYPE_ARP);
    }
}
