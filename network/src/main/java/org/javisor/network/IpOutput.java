package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Sends IP packets to the guest: headers, checksums, and the Ethernet address of each of the
 * guest's IP addresses. Used under its network's lock.
 */
final class IpOutput {
    static final int ETHERNET = 14;
    static final int IPV4_HEADER = 20;
    static final int IPV6_HEADER = 40;
    static final int TYPE_IPV4 = 0x0800;
    static final int TYPE_ARP = 0x0806;
    static final int TYPE_IPV6 = 0x86dd;
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMPV6 = 58;

    private static final int HEAD = 2048;
    private static final int TIME_TO_LIVE = 64;

    /** A guest may claim any number of addresses; the oldest are forgotten. */
    private static final int NEIGHBOURS = 256;

    private final LinkEnd card;
    private final long ownMac;
    private final int mtu;
    private final ByteBuffer head = ByteBuffer.allocateDirect(HEAD);
    private final Frame frame = new Frame();
    private final Map<IpAddress, Long> neighbours =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<IpAddress, Long> eldest) {
                    return size() > NEIGHBOURS;
                }
            };
    private Asker asker = target -> {};
    private int identification;

    /** Asks the guest for the Ethernet address of an IP address. */
    interface Asker {
        void ask(IpAddress target);
    }

    IpOutput(LinkEnd card, MacAddress ownMac, int mtu) {
        this.card = card;
        this.ownMac = ownMac.value();
        this.mtu = mtu;
    }

    void setAsker(Asker asker) {
        this.asker = asker;
    }

    int mtu() {
        return mtu;
    }

    MacAddress ownMac() {
        return new MacAddress(ownMac);
    }

    boolean accepts(int offloads) {
        return (card.offloads() & offloads) == offloads;
    }

    /**
     * Notes where an address of the guest's is.
     *
     * @return whether that was not known
     */
    boolean learn(IpAddress address, long mac) {
        Long previous = neighbours.put(address, mac);
        return previous == null || previous != mac;
    }

    boolean knows(IpAddress address) {
        return neighbours.containsKey(address);
    }

    /** Where the IP header's payload begins in a frame for that address. */
    int transport(IpAddress target) {
        return ETHERNET + headerLength(target);
    }

    int headerLength(IpAddress target) {
        return target.isV4() ? IPV4_HEADER : IPV6_HEADER;
    }

    /**
     * A frame whose first part has room for headers and small contents from {@link #transport} on;
     * {@link #endHead} says how much was used.
     */
    Frame begin(IpAddress target) {
        head.clear();
        return frame.reset(head);
    }

    /** The first part ends at {@code end}. */
    void endHead(Frame frame, int end) {
        head.limit(end);
        frame.reset(head);
    }

    /** Sends a frame with no IP in it. */
    boolean sendRaw(Frame frame, long mac, int type) {
        MacAddress.write(head, 0, mac);
        MacAddress.write(head, 6, ownMac);
        head.putShort(12, (short) type);
        return card.deliver(frame);
    }

    /**
     * Completes the headers and sends.
     *
     * @param checksum where in the transport header its checksum goes, -1 for none
     * @return false if the card has no room now
     */
    boolean send(Frame frame, IpAddress source, IpAddress target, int protocol, int checksum) {
        Long mac = macOf(target);
        if (mac == null) {
            asker.ask(target);
            return true;
        }
        return sendTo(mac, frame, source, target, protocol, checksum);
    }

    private Long macOf(IpAddress target) {
        if (target.isV4() && target.v4() == -1) {
            return MacAddress.BROADCAST.value();
        }
        if (!target.isV4() && target.high() >>> 56 == 0xff) {
            // RFC 2464, 7
            return 0x3333_0000_0000L | target.low() & 0xffff_ffffL;
        }
        return neighbours.get(target);
    }

    /** As {@link #send}, to a known Ethernet address. */
    boolean sendTo(
            long mac, Frame frame, IpAddress source, IpAddress target, int protocol, int checksum) {
        int start = transport(target);
        int length = frame.length() - start;
        if (target.isV4()) {
            writeIpv4(source, target, protocol, length, identification++, 0);
        } else {
            writeIpv6(source, target, protocol, length);
        }
        if (checksum >= 0) {
            long pseudo = Checksum.pseudoHeader(source, target, protocol, length);
            int at = start + checksum;
            if (accepts(LinkEnd.CHECKSUM) && protocol != ICMPV6) {
                head.putShort(at, (short) Checksum.fold(pseudo));
                frame.leaveChecksum(start, checksum);
            } else {
                head.putShort(at, (short) 0);
                int sum = Segmenter.sum(pseudo, frame, start);
                head.putShort(at, (short) (sum == 0 && protocol == UDP ? 0xffff : sum));
            }
        }
        if (target.isV4() && frame.length() - ETHERNET > mtu && frame.gsoType() == Frame.GSO_NONE) {
            return sendFragments(mac, frame, source, target, protocol);
        }
        return sendRaw(frame, mac, target.isV4() ? TYPE_IPV4 : TYPE_IPV6);
    }

    private void writeIpv4(
            IpAddress source, IpAddress target, int protocol, int length, int id, int fragment) {
        head.putShort(ETHERNET, (short) 0x4500);
        head.putShort(ETHERNET + 2, (short) (IPV4_HEADER + length));
        head.putShort(ETHERNET + 4, (short) id);
        head.putShort(ETHERNET + 6, (short) fragment);
        head.put(ETHERNET + 8, (byte) TIME_TO_LIVE);
        head.put(ETHERNET + 9, (byte) protocol);
        head.putShort(ETHERNET + 10, (short) 0);
        source.write(head, ETHERNET + 12);
        target.write(head, ETHERNET + 16);
        head.putShort(
                ETHERNET + 10,
                (short) Checksum.finish(Checksum.add(0, head, ETHERNET, IPV4_HEADER)));
    }

    private void writeIpv6(IpAddress source, IpAddress target, int protocol, int length) {
        head.putInt(ETHERNET, 0x60000000);
        head.putShort(ETHERNET + 4, (short) length);
        head.put(ETHERNET + 6, (byte) protocol);
        // Neighbour discovery demands 255 (RFC 4861, 6.1).
        head.put(ETHERNET + 7, (byte) (protocol == ICMPV6 ? 255 : TIME_TO_LIVE));
        source.write(head, ETHERNET + 8);
        target.write(head, ETHERNET + 24);
    }

    /** RFC 791, 3.2. What is cut here was long to begin with, so its copy does not matter. */
    private boolean sendFragments(
            long mac, Frame whole, IpAddress source, IpAddress target, int protocol) {
        ByteBuffer packet = ByteBuffer.allocate(whole.length());
        whole.copyTo(packet);
        int start = transport(target);
        finishChecksum(whole, packet);
        int id = identification++;
        int step = mtu - IPV4_HEADER & -8;
        for (int at = start; at < packet.capacity(); at += step) {
            int length = Math.min(step, packet.capacity() - at);
            int more = at + length < packet.capacity() ? 0x2000 : 0;
            begin(target);
            endHead(frame, start);
            frame.append(packet.slice(at, length));
            writeIpv4(source, target, protocol, length, id, more | (at - start) / 8);
            if (!sendRaw(frame, mac, TYPE_IPV4)) {
                return false;
            }
        }
        return true;
    }

    private static void finishChecksum(Frame frame, ByteBuffer packet) {
        if (frame.needsChecksum()) {
            int start = frame.checksumStart();
            int sum = Checksum.finish(Checksum.add(0, packet, start, packet.capacity() - start));
            packet.putShort(start + frame.checksumOffset(), (short) (sum == 0 ? 0xffff : sum));
        }
    }

    void flush() {
        card.flush();
    }
}
