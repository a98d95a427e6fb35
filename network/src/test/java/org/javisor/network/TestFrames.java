package org.javisor.network;

import java.nio.ByteBuffer;

/** Frames as a guest would make them, built here without the code under test. */
final class TestFrames {
    static final long GUEST_MAC = 0x525400123456L;
    static final IpAddress GUEST = IpAddress.v4(10, 0, 2, 15);

    private TestFrames() {}

    static Frame frame(byte[] bytes) {
        return new Frame().reset(ByteBuffer.wrap(bytes));
    }

    static byte[] ethernet(long target, int type, byte[] payload) {
        ByteBuffer b = ByteBuffer.allocate(14 + payload.length);
        b.putInt((int) (target >>> 16)).putShort((short) target);
        b.putInt((int) (GUEST_MAC >>> 16)).putShort((short) GUEST_MAC);
        return b.putShort((short) type).put(payload).array();
    }

    static byte[] ipv4(IpAddress from, IpAddress to, int protocol, byte[] payload) {
        return ipv4(from, to, protocol, 0, payload);
    }

    static byte[] ipv4(IpAddress from, IpAddress to, int protocol, int fragment, byte[] payload) {
        ByteBuffer b = ByteBuffer.allocate(20 + payload.length);
        b.putShort((short) 0x4500).putShort((short) (20 + payload.length));
        b.putShort((short) 77).putShort((short) fragment).put((byte) 64).put((byte) protocol);
        b.putShort((short) 0).putInt(from.v4()).putInt(to.v4());
        b.putShort(10, (short) sum(0, b.array(), 20));
        return ethernet(0x52550a000202L, 0x0800, b.put(payload).array());
    }

    static byte[] udp(IpAddress from, int fromPort, IpAddress to, int toPort, byte[] data) {
        return ipv4(from, to, 17, udpDatagram(from, fromPort, to, toPort, data));
    }

    static byte[] udpDatagram(IpAddress from, int fromPort, IpAddress to, int toPort, byte[] data) {
        ByteBuffer b = ByteBuffer.allocate(8 + data.length);
        b.putShort((short) fromPort).putShort((short) toPort);
        b.putShort((short) b.capacity()).putShort((short) 0).put(data);
        b.putShort(6, (short) sum(pseudo(from, to, 17, b.capacity()), b.array(), b.capacity()));
        return b.array();
    }

    static byte[] tcp(
            IpAddress from,
            int fromPort,
            IpAddress to,
            int toPort,
            int sequence,
            int ack,
            int flags,
            int window,
            byte[] options,
            byte[] data) {
        int header = 20 + options.length;
        ByteBuffer b = ByteBuffer.allocate(header + data.length);
        b.putShort((short) fromPort).putShort((short) toPort).putInt(sequence).putInt(ack);
        b.put((byte) (header << 2)).put((byte) flags).putShort((short) window).putInt(0);
        b.put(options).put(data);
        b.putShort(16, (short) sum(pseudo(from, to, 6, b.capacity()), b.array(), b.capacity()));
        return ipv4(from, to, 6, b.array());
    }

    static long pseudo(IpAddress from, IpAddress to, int protocol, int length) {
        return (from.v4() & 0xffffffffL) + (to.v4() & 0xffffffffL) + protocol + length;
    }

    /** The checksum word by word, as RFC 1071 explains it. */
    static int sum(long initial, byte[] bytes, int length) {
        long sum = initial;
        for (int i = 0; i < length; i++) {
            sum += (bytes[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum >>> 16) + (sum & 0xffff);
        }
        return (int) ~sum & 0xffff;
    }
}
