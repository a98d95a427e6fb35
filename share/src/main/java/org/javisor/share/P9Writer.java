package org.javisor.share;

import java.util.Arrays;

/** The fields of a reply, in order; little-endian. */
final class P9Writer {
    /** Size, type and tag. */
    static final int HEADER = 7;

    private byte[] bytes = new byte[512];
    private int at;

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return at;
    }

    void begin(int type, int tag) {
        at = 4;
        u8(type);
        u16(tag);
    }

    /** Fills in the size. */
    void finish() {
        int size = at;
        at = 0;
        u32(size);
        at = size;
    }

    /** Makes room for so many bytes and returns where they begin. */
    int room(int size) {
        if (at + size > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(at + size, 2 * bytes.length));
        }
        int from = at;
        at += size;
        return from;
    }

    /** Goes back to where a field begins, to write it again or to leave it out. */
    void rewind(int to) {
        at = to;
    }

    void u8(int value) {
        int from = room(1);
        bytes[from] = (byte) value;
    }

    void u16(int value) {
        u8(value);
        u8(value >> 8);
    }

    void u32(int value) {
        u16(value);
        u16(value >>> 16);
    }

    void u64(long value) {
        u32((int) value);
        u32((int) (value >>> 32));
    }

    void string(String text) {
        u16(text.length());
        int from = room(text.length());
        for (int i = 0; i < text.length(); i++) {
            bytes[from + i] = (byte) text.charAt(i);
        }
    }

    void qid(Qid qid) {
        u8(qid.type());
        u32(qid.version());
        u64(qid.path());
    }
}
