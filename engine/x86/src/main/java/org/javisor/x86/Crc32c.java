package org.javisor.x86;

/**
 * CRC-32C as the CRC32 instruction accumulates it, with the polynomial 11EDC6F41h (Intel SDM vol.
 * 2, CRC32).
 */
public final class Crc32c {
    private static final int REFLECTED_POLYNOMIAL = 0x82f63b78;

    private static final int[] TABLE = new int[256];

    static {
        for (int n = 0; n < 256; n++) {
            int crc = n;
            for (int bit = 0; bit < 8; bit++) {
                crc = crc >>> 1 ^ ((crc & 1) != 0 ? REFLECTED_POLYNOMIAL : 0);
            }
            TABLE[n] = crc;
        }
    }

    private Crc32c() {}

    /** Takes the lowest {@code size} bytes of {@code data} into the sum. */
    public static int update(int crc, long data, int size) {
        for (int n = 0; n < size; n++) {
            crc = crc >>> 8 ^ TABLE[(crc ^ (int) data) & 0xff];
            data >>>= 8;
        }
        return crc;
    }
}
