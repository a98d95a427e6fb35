package org.javisor.network;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * A DHCP and BOOTP server (RFC 2131, 2132): an Ethernet address always gets the same IP address,
 * the first one 10.0.2.15.
 */
final class DhcpServer {
    private static final int FIXED = 240;
    private static final int COOKIE = 0x63825363;
    private static final int CLIENT_PORT = 68;
    private static final int SERVER_PORT = 67;
    private static final int LEASE_SECONDS = 86400;

    /** BOOTP's vendor area makes a message of at least this (RFC 951). */
    private static final int MINIMUM = 300;

    private static final int FIRST_HOST = UserNetworkConfig.FIRST_GUEST.v4() & 0xff;
    private static final int LAST_HOST = 254;

    private static final int DISCOVER = 1;
    private static final int OFFER = 2;
    private static final int REQUEST = 3;
    private static final int DECLINE = 4;
    private static final int ACK = 5;
    private static final int NAK = 6;
    private static final int RELEASE = 7;
    private static final int INFORM = 8;

    private final IpOutput output;
    private final UserNetworkConfig config;

    /** Addresses by Ethernet address; bounded by the network's size. */
    private final Map<Long, Integer> leases = new HashMap<>();

    /** The last bytes of those IP addresses. */
    private final BitSet taken = new BitSet();

    DhcpServer(IpOutput output, UserNetworkConfig config) {
        this.output = output;
        this.config = config;
    }

    /** What a request asks for; zero where it does not say. */
    private record Options(int type, int requested, int server) {}

    /**
     * @param message UDP's data
     * @param mac the frame's sender
     */
    void receive(ByteBuffer message, long mac) {
        if (message.limit() < FIXED
                || message.getInt(0) >>> 8 != (1 << 16 | 1 << 8 | 6)
                || message.getInt(236) != COOKIE
                || MacAddress.read(message, 28) != mac) {
            return;
        }
        Options options = options(message);
        if (options.server != 0 && options.server != UserNetworkConfig.GATEWAY.v4()) {
            return;
        }
        switch (options.type) {
            case 0 -> lease(message, mac, ACK, 0);
            case DISCOVER -> lease(message, mac, OFFER, options.requested);
            case REQUEST -> request(message, mac, options);
            case INFORM -> answer(message, mac, ACK, IpAddress.v4(message.getInt(12)), false);
            case DECLINE, RELEASE -> giveBack(mac);
            default -> {}
        }
    }

    private static Options options(ByteBuffer message) {
        int type = 0;
        int requested = 0;
        int server = 0;
        int at = FIXED;
        while (at < message.limit() && message.get(at) != -1) {
            int code = message.get(at) & 0xff;
            if (code == 0) {
                at++;
                continue;
            }
            int length = at + 1 < message.limit() ? message.get(at + 1) & 0xff : 0;
            if (at + 2 + length > message.limit()) {
                break;
            }
            if (code == 53 && length == 1) {
                type = message.get(at + 2) & 0xff;
            } else if (code == 50 && length == 4) {
                requested = message.getInt(at + 2);
            } else if (code == 54 && length == 4) {
                server = message.getInt(at + 2);
            }
            at += 2 + length;
        }
        return new Options(type, requested, server);
    }

    private void request(ByteBuffer message, long mac, Options options) {
        int wanted = options.requested != 0 ? options.requested : message.getInt(12);
        Integer held = leases.get(mac);
        if (held == null && free(wanted)) {
            // It remembers an address from before this network existed.
            give(mac, wanted);
            held = wanted;
        }
        if (held == null || held != wanted) {
            answer(message, mac, NAK, IpAddress.v4(0), false);
        } else {
            answer(message, mac, ACK, IpAddress.v4(held), true);
        }
    }

    private void lease(ByteBuffer message, long mac, int type, int preferred) {
        Integer address = leases.get(mac);
        if (address == null) {
            address = free(preferred) ? preferred : firstFree();
            if (address == 0) {
                return;
            }
            give(mac, address);
        }
        answer(message, mac, type, IpAddress.v4(address), true);
    }

    private void give(long mac, int address) {
        leases.put(mac, address);
        taken.set(address & ~UserNetworkConfig.NETMASK);
    }

    private void giveBack(long mac) {
        Integer address = leases.remove(mac);
        if (address != null) {
            taken.clear(address & ~UserNetworkConfig.NETMASK);
        }
    }

    private boolean free(int address) {
        int host = address & ~UserNetworkConfig.NETMASK;
        return (address & UserNetworkConfig.NETMASK) == UserNetworkConfig.NETWORK
                && host >= FIRST_HOST
                && host <= LAST_HOST
                && !taken.get(host);
    }

    /** 0 if there is none. */
    private int firstFree() {
        int host = taken.nextClearBit(FIRST_HOST);
        return host <= LAST_HOST ? UserNetworkConfig.NETWORK | host : 0;
    }

    private void answer(
            ByteBuffer message, long mac, int type, IpAddress address, boolean withLease) {
        ByteBuffer reply = ByteBuffer.allocate(576);
        reply.putInt(0, 2 << 24 | 1 << 16 | 6 << 8);
        reply.putInt(4, message.getInt(4));
        reply.putShort(10, message.getShort(10));
        reply.putInt(12, type == NAK ? 0 : message.getInt(12));
        reply.putInt(16, address.v4());
        UserNetworkConfig.GATEWAY.write(reply, 20);
        reply.put(28, message, 28, 16);
        reply.putInt(236, COOKIE);
        reply.position(FIXED);
        reply.put(new byte[] {53, 1, (byte) type});
        option(reply, 54, UserNetworkConfig.GATEWAY.v4());
        if (type != NAK) {
            putConfiguration(reply, withLease);
        }
        reply.put((byte) -1);
        reply.flip().limit(Math.max(MINIMUM, reply.limit()));
        boolean known = type != NAK && address.v4() != 0;
        send(reply, mac, known && message.getShort(10) == 0 ? address : IpAddress.v4(-1));
    }

    private void putConfiguration(ByteBuffer reply, boolean withLease) {
        option(reply, 1, UserNetworkConfig.NETMASK);
        if (!config.restrict()) {
            option(reply, 3, UserNetworkConfig.GATEWAY.v4());
            option(reply, 6, UserNetworkConfig.NAME_SERVER.v4());
        }
        if (withLease) {
            option(reply, 51, LEASE_SECONDS);
        }
        if (config.mtu() != UserNetworkConfig.DEFAULT_MTU) {
            reply.put(new byte[] {26, 2}).putShort((short) config.mtu());
        }
        config.hostName()
                .ifPresent(
                        name -> {
                            byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
                            int length = Math.min(bytes.length, 63);
                            reply.put((byte) 12).put((byte) length).put(bytes, 0, length);
                        });
    }

    private static void option(ByteBuffer reply, int code, int value) {
        reply.put((byte) code).put((byte) 4).putInt(value);
    }

    private void send(ByteBuffer reply, long mac, IpAddress target) {
        Frame frame = output.begin(target);
        ByteBuffer head = frame.part(0);
        int at = output.transport(target);
        head.putShort(at, (short) SERVER_PORT);
        head.putShort(at + 2, (short) CLIENT_PORT);
        head.putShort(at + 4, (short) (8 + reply.remaining()));
        head.putShort(at + 6, (short) 0);
        output.endHead(frame, at + 8);
        frame.append(reply);
        long to = target.v4() == -1 ? MacAddress.BROADCAST.value() : mac;
        output.sendTo(to, frame, UserNetworkConfig.GATEWAY, target, IpOutput.UDP, 6);
    }
}
