package org.javisor.gdb;

import java.io.IOException;
import java.io.OutputStream;

/** Frames replies and sends them; remembers the last one in case it has to be sent again. */
final class PacketWriter {
    private final OutputStream out;
    private byte[] last = {};
    private boolean acknowledging = true;

    PacketWriter(OutputStream out) {
        this.out = out;
    }

    /** Whether packets are still acknowledged, as they are before QStartNoAckMode. */
    boolean acknowledging() {
        return acknowledging;
    }

    void stopAcknowledging() {
        acknowledging = false;
    }

    /** Tells whether a packet has arrived whole. */
    void acknowledge(boolean whole) throws IOException {
        if (acknowledging) {
            out.write(whole ? '+' : '-');
            out.flush();
        }
    }

    /**
     * @param reply characters up to U+00FF, a byte each; binary data is escaped already
     */
    void send(String reply) throws IOException {
        last = frame(reply);
        repeat();
    }

    void repeat() throws IOException {
        out.write(last);
        out.flush();
    }

    static byte[] frame(String reply) {
        byte[] framed = new byte[reply.length() + 4];
        int sum = 0;
        int at = 0;
        framed[at++] = '$';
        for (int n = 0; n < reply.length(); n++) {
            byte value = (byte) reply.charAt(n);
            sum += value;
            framed[at++] = value;
        }
        String checksum = HexText.of(new byte[] {(byte) sum});
        framed[at++] = '#';
        framed[at++] = (byte) checksum.charAt(0);
        framed[at] = (byte) checksum.charAt(1);
        return framed;
    }

    /** Escapes what may not stand in a packet as it is (GDB manual, E.1, binary data). */
    static String escape(String data) {
        StringBuilder escaped = new StringBuilder(data.length());
        for (int n = 0; n < data.length(); n++) {
            char c = data.charAt(n);
            if (c == '#' || c == '$' || c == '}' || c == '*') {
                escaped.append('}').append((char) (c ^ 0x20));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }
}
