package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Puts fragments together again (RFC 791, 3.2), a few datagrams at a time: the oldest incomplete
 * one makes room for a new one.
 */
final class Ipv4Reassembly {
    private static final int DATAGRAMS = 16;
    private static final int MAXIMUM = 65535 - IpOutput.IPV4_HEADER;

    private final Map<Key, Datagram> datagrams =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Key, Datagram> eldest) {
                    return size() > DATAGRAMS;
                }
            };

    private record Key(IpAddress source, IpAddress target, int protocol, short id) {}

    private static final class Datagram {
        final byte[] bytes = new byte[MAXIMUM];

        /** Which units of eight bytes have come. */
        final BitSet units = new BitSet();

        /** -1 until the last fragment has come. */
        int length = -1;
    }

    /**
     * Adds a fragment.
     *
     * @param offset of its first byte, a multiple of 8
     * @param more whether others follow it
     * @return the whole payload once nothing is missing
     */
    Optional<ByteBuffer> add(
            IpAddress source,
            IpAddress target,
            int protocol,
            short id,
            int offset,
            boolean more,
            ByteBuffer data) {
        int size = data.remaining();
        if (size == 0 || offset + size > MAXIMUM || more && size % 8 != 0) {
            return Optional.empty();
        }
        Key key = new Key(source, target, protocol, id);
        Datagram datagram = datagrams.computeIfAbsent(key, k -> new Datagram());
        if (!more) {
            datagram.length = offset + size;
        }
        int first = offset / 8;
        int end = (offset + size + 7) / 8;
        boolean overlaps = datagram.units.get(first, end).cardinality() > 0;
        boolean beyond = datagram.length >= 0 && datagram.units.length() > units(datagram.length);
        if (overlaps || beyond || datagram.length >= 0 && end > units(datagram.length)) {
            // Nobody honest sends fragments that overlap (RFC 5722 on the same in IPv6).
            datagrams.remove(key);
            return Optional.empty();
        }
        data.get(datagram.bytes, offset, size);
        datagram.units.set(first, end);
        if (datagram.length < 0 || datagram.units.cardinality() < units(datagram.length)) {
            return Optional.empty();
        }
        datagrams.remove(key);
        return Optional.of(ByteBuffer.wrap(datagram.bytes, 0, datagram.length));
    }

    private static int units(int length) {
        return (length + 7) / 8;
    }
}
