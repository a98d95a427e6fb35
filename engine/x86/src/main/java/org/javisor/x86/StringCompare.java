package org.javisor.x86;

/**
 * The comparison behind PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (Intel SDM vol. 2, 4.1).
 * {@code control} is the immediate byte; "first" and "second" are the operands in Intel order.
 */
public final class StringCompare {
    private StringCompare() {}

    /** Elements in a register: 16 bytes or 8 words. */
    public static int elements(int control) {
        return (control & 1) == 0 ? 16 : 8;
    }

    /** The length given in EAX or EDX: its absolute value, at most the register's. */
    public static int explicitLength(long length, int control) {
        int most = elements(control);
        return length > most || length < -most ? most : (int) Math.abs(length);
    }

    /** The number of elements before the first zero. */
    public static int implicitLength(long low, long high, int control) {
        int most = elements(control);
        for (int n = 0; n < most; n++) {
            if (element(low, high, n, control & 1) == 0) {
                return n;
            }
        }
        return most;
    }

    /** IntRes2: one bit for each element of the second operand, after the polarity. */
    public static int compare(
            long firstLow,
            long firstHigh,
            int firstLength,
            long low,
            long high,
            int length,
            int control) {
        int most = elements(control);
        int result = 0;
        for (int j = 0; j < most; j++) {
            boolean match =
                    switch (control >> 2 & 3) {
                        case 0 ->
                                equalAny(
                                        firstLow,
                                        firstHigh,
                                        firstLength,
                                        low,
                                        high,
                                        length,
                                        j,
                                        control & 3);
                        case 1 ->
                                ranges(
                                        firstLow,
                                        firstHigh,
                                        firstLength,
                                        low,
                                        high,
                                        length,
                                        j,
                                        control & 3);
                        case 2 ->
                                equalEach(
                                        firstLow,
                                        firstHigh,
                                        firstLength,
                                        low,
                                        high,
                                        length,
                                        j,
                                        control & 3);
                        default ->
                                equalOrdered(
                                        firstLow,
                                        firstHigh,
                                        firstLength,
                                        low,
                                        high,
                                        length,
                                        j,
                                        control & 3);
                    };
            if (match) {
                result |= 1 << j;
            }
        }
        return switch (control >> 4 & 3) {
            case 1 -> result ^ (1 << most) - 1;
            case 3 -> result ^ (1 << length) - 1;
            default -> result;
        };
    }

    private static boolean equalAny(
            long firstLow,
            long firstHigh,
            int firstLength,
            long low,
            long high,
            int length,
            int j,
            int format) {
        if (j >= length) {
            return false;
        }
        int wanted = element(low, high, j, format);
        for (int n = 0; n < firstLength; n++) {
            if (element(firstLow, firstHigh, n, format) == wanted) {
                return true;
            }
        }
        return false;
    }

    private static boolean ranges(
            long firstLow,
            long firstHigh,
            int firstLength,
            long low,
            long high,
            int length,
            int j,
            int format) {
        if (j >= length) {
            return false;
        }
        int wanted = element(low, high, j, format);
        for (int n = 0; n + 1 < firstLength; n += 2) {
            if (element(firstLow, firstHigh, n, format) <= wanted
                    && wanted <= element(firstLow, firstHigh, n + 1, format)) {
                return true;
            }
        }
        return false;
    }

    private static boolean equalEach(
            long firstLow,
            long firstHigh,
            int firstLength,
            long low,
            long high,
            int length,
            int j,
            int format) {
        if (j >= firstLength || j >= length) {
            return j >= firstLength && j >= length;
        }
        return element(firstLow, firstHigh, j, format) == element(low, high, j, format);
    }

    private static boolean equalOrdered(
            long firstLow,
            long firstHigh,
            int firstLength,
            long low,
            long high,
            int length,
            int j,
            int format) {
        int most = elements(format);
        for (int n = 0; n < firstLength && j + n < most; n++) {
            if (j + n >= length
                    || element(firstLow, firstHigh, n, format)
                            != element(low, high, j + n, format)) {
                return false;
            }
        }
        return true;
    }

    /** One element: format 0 unsigned byte, 1 unsigned word, 2 signed byte, 3 signed word. */
    private static int element(long low, long high, int n, int format) {
        return switch (format) {
            case 0 -> (int) ((n < 8 ? low : high) >>> ((n & 7) << 3)) & 0xff;
            case 1 -> (int) ((n < 4 ? low : high) >>> ((n & 3) << 4)) & 0xffff;
            case 2 -> (byte) ((n < 8 ? low : high) >>> ((n & 7) << 3));
            default -> (short) ((n < 4 ? low : high) >>> ((n & 3) << 4));
        };
    }

    /**
     * ECX of the index forms: the lowest or, by bit 6, the highest set bit; the number of elements
     * if there is none.
     */
    public static int index(int result, int control) {
        if (result == 0) {
            return elements(control);
        }
        return (control & 0x40) == 0
                ? Integer.numberOfTrailingZeros(result)
                : 31 - Integer.numberOfLeadingZeros(result);
    }

    /**
     * Half of XMM0 of the mask forms: the bits as they are or, by bit 6, spread over the elements.
     */
    public static long mask(int result, int control, int half) {
        if ((control & 0x40) == 0) {
            return half == 0 ? result : 0;
        }
        boolean bytes = (control & 1) == 0;
        int lanes = bytes ? 8 : 4;
        int width = bytes ? 8 : 16;
        long ones = bytes ? 0xff : 0xffff;
        long mask = 0;
        for (int n = 0; n < lanes; n++) {
            if ((result >> half * lanes + n & 1) != 0) {
                mask |= ones << n * width;
            }
        }
        return mask;
    }
}
