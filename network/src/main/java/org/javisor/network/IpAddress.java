package org.javisor.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * An IPv6 address, or an IPv4 one as RFC 4291, 2.5.5.2 maps it, so that both can be keys alike.
 *
 * @param high the first eight bytes
 * @param low the last eight bytes
 */
record IpAddress(long high, long low) {
    private static final long MAPPED = 0xffffL << 32;

    static IpAddress v4(int address) {
        return new IpAddress(0, MAPPED | address & 0xffff_ffffL);
    }

    /** Of an address in dotted form, for constants. */
    static IpAddress v4(int a, int b, int c, int d) {
        return v4(a << 24 | b << 16 | c << 8 | d);
    }

    static IpAddress v6(ByteBuffer buffer, int offset) {
        return new IpAddress(buffer.getLong(offset), buffer.getLong(offset + 8));
    }

    static IpAddress of(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return bytes.capacity() == 4 ? v4(bytes.getInt(0)) : v6(bytes, 0);
    }

    boolean isV4() {
        return high == 0 && low >>> 32 == 0xffff;
    }

    /** The IPv4 address; meaningless unless {@link #isV4}. */
    int v4() {
        return (int) low;
    }

    InetAddress toInet() {
        byte[] bytes =
                isV4()
                        ? ByteBuffer.allocate(4).putInt(v4()).array()
                        : ByteBuffer.allocate(16).putLong(high).putLong(low).array();
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes are addresses", e);
        }
    }

    void write(ByteBuffer buffer, int offset) {
        if (isV4()) {
            buffer.putInt(offset, v4());
        } else {
            buffer.putLong(offset, high);
            buffer.putLong(offset + 8, low);
        }
    }

    @Override
    public String toString() {
        return toInet().getHostAddress();
    }
}
