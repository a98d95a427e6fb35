package org.javisor.share;

import java.nio.charset.StandardCharsets;

/** The fields of a request, in order; little-endian. A message that ends too early is EPROTO. */
final class P9Reader {
    private static final int LONGEST_NAME = 255;

    private byte[] bytes = {};
    private int at;
    private int end;

    void reset(byte[] message, int from, int to) {
        bytes = message;
        at = from;
        end = to;
    }

    private int take(int size) throws FileError {
        if (size < 0 || size > end - at) {
            throw new FileError(Errno.EPROTO);
        }
        int from = at;
        at += size;
        return from;
    }

    int u8() throws FileError {
        return bytes[take(1)] & 0xff;
    }

    int u16() throws FileError {
        int from = take(2);
        return bytes[from] & 0xff | (bytes[from + 1] & 0xff) << 8;
    }

    int u32() throws FileError {
        return u16() | u16() << 16;
    }

    long u64() throws FileError {
        return u32() & 0xffff_ffffL | (long) u32() << 32;
    }

    /** A string of bytes, each as the character with its number: names need not be UTF-8. */
    String string() throws FileError {
        int length = u16();
        int from = take(length);
        return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
    }

    /** What may stand for a file in a directory. */
    String name() throws FileError {
        return checkedName(string());
    }

    static String checkedName(String name) throws FileError {
        if (name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf(0) >= 0) {
            throw new FileError(Errno.EINVAL);
        }
        if (name.equals(".") || name.equals("..")) {
            throw new FileError(Errno.EINVAL);
        }
        if (name.length() > LONGEST_NAME) {
            throw new FileError(Errno.ENAMETOOLONG);
        }
        return name;
    }

    /** Skips so many bytes; returns where they begin. */
    int data(int length) throws FileError {
        return take(length);
    }
}
