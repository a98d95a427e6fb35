package org.javisor.virtio.vsock;

import org.javisor.virtio.DescriptorChain;

/** A bounded queue of bytes. Not thread-safe. */
final class ByteRing {
    private final byte[] bytes;
    private int start;
    private int length;

    ByteRing(int capacity) {
        bytes = new byte[capacity];
    }

    int length() {
        return length;
    }

    int room() {
        return bytes.length - length;
    }

    void clear() {
        length = 0;
    }

    /** Returns how many bytes there was room for. */
    int put(byte[] source, int offset, int count) {
        int total = Math.min(count, room());
        for (int done = 0; done < total; ) {
            int at = (start + length) % bytes.length;
            int part = Math.min(total - done, bytes.length - at);
            System.arraycopy(source, offset + done, bytes, at, part);
            length += part;
            done += part;
        }
        return total;
    }

    /** Takes bytes of a chain's readable part; there must be room. */
    void put(DescriptorChain chain, long offset, int count) {
        for (int done = 0; done < count; ) {
            int at = (start + length) % bytes.length;
            int part = Math.min(count - done, bytes.length - at);
            chain.read(offset + done, bytes, at, part);
            length += part;
            done += part;
        }
    }

    int take(byte[] target, int offset, int most) {
        int total = Math.min(most, length);
        for (int done = 0; done < total; ) {
            int part = Math.min(total - done, bytes.length - start);
            System.arraycopy(bytes, start, target, offset + done, part);
            drop(part);
            done += part;
        }
        return total;
    }

    /** Puts bytes into a chain's writable part; there must be as many. */
    void take(DescriptorChain chain, long offset, int count) {
        for (int done = 0; done < count; ) {
            int part = Math.min(count - done, bytes.length - start);
            chain.write(offset + done, bytes, start, part);
            drop(part);
            done += part;
        }
    }

    private void drop(int count) {
        start = (start + count) % bytes.length;
        length -= count;
    }
}
