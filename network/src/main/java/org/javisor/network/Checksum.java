package org.javisor.network;

import java.nio.ByteBuffer;

/** The Internet checksum (RFC 1071): the ones' complement sum of 16-bit words. */
final class Checksum {
    private Checksum() {}

    /**
     * Adds the 16-bit words of a range to a running sum; an odd last byte counts as a high one.
     * Ranges other than the last must have an even length. Up to 2 GiB fit a sum.
     */
    static long add(long sum, ByteBuffer buffer, int offset, int length) {
        int at = offset;
        int end = offset + length;
        // Ones' complement addition does not care for the word size, so four bytes go at a time.
        for (; end - at >= 8; at += 8) {
            long word = buffer.getLong(at);
            sum += (word >>> 32) + (word & 0xffff_ffffL);
        }
        for (; end - at >= 2; at += 2) {
            sum += buffer.getShort(at) & 0xffff;
        }
        if (at < end) {
            sum += (buffer.get(at) & 0xff) << 8;
        }
        return sum;
    }

    /** The running sum as 16 bits, not complemented. */
    static int fold(long sum) {
        sum = (sum >>> 32) + (sum & 0xffff_ffffL);
        sum = (sum >>> 32) + (sum & 0xffff_ffffL);
        int folded = (int) ((sum >>> 16) + (sum & 0xffff));
        folded = (folded >>> 16) + (folded & 0xffff);
        return (folded >>> 16) + (folded & 0xffff);
    }

    /** What goes into a header. */
    static int finish(long sum) {
        return ~fold(sum) & 0xffff;
    }

    /** The sum of the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293, 3.1; RFC 8200, 8.1). */
    static long pseudoHeader(IpAddress source, IpAddress target, int protocol, int length) {
        return words(source) + words(target) + protocol + length;
    }

    private static long words(IpAddress address) {
        long low = (address.low() >>> 32) + (address.low() & 0xffff_ffffL);
        if (address.isV4()) {
            return address.low() & 0xffff_ffffL;
        }
        return low + (address.high() >>> 32) + (address.high() & 0xffff_ffffL);
    }
}
