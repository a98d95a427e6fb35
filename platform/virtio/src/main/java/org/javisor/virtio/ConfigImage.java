package org.javisor.virtio;

/** A configuration space as bytes, little-endian, for accesses of any size at any offset. */
public final class ConfigImage {
    private final byte[] bytes;

    /**
     * @param size bytes
     */
    public ConfigImage(int size) {
        bytes = new byte[size];
    }

    /**
     * @param size 1 to 8 bytes
     */
    public ConfigImage put(int offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
        return this;
    }

    public ConfigImage put(int offset, byte[] value) {
        System.arraycopy(value, 0, bytes, offset, value.length);
        return this;
    }

    public long get(int offset, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[offset + i] & 0xffL) << 8 * i;
        }
        return value;
    }
}
