package org.javisor.gdb;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** A client of the protocol that says what a test tells it to. */
final class ScriptedDebugger implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    private final Socket socket;
    private final InputStream in;
    private boolean acknowledging = true;

    ScriptedDebugger(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = socket.getInputStream();
    }

    /** Connects as gdb does, without acknowledgements from then on. */
    static ScriptedDebugger attached(int port) throws IOException {
        ScriptedDebugger debugger = new ScriptedDebugger(port);
        String features = debugger.ask("qSupported:multiprocess+;swbreak+;hwbreak+");
        if (!features.contains("QStartNoAckMode+")) {
            throw new IOException("Unexpected features: " + features);
        }
        if (!debugger.ask("QStartNoAckMode").equals("OK")) {
            throw new IOException("Acknowledgements stay");
        }
        debugger.acknowledging = false;
        return debugger;
    }

    /** Sends a packet and takes the reply. */
    String ask(String packet) throws IOException {
        send(packet);
        return reply();
    }

    /** Sends a packet; characters are bytes. */
    void send(String packet) throws IOException {
        raw(new String(PacketWriter.frame(packet), StandardCharsets.ISO_8859_1));
        if (acknowledging) {
            int answer = in.read();
            if (answer != '+') {
                throw new IOException("No acknowledgement but " + answer);
            }
        }
    }

    void raw(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    int read() throws IOException {
        return in.read();
    }

    /** The next packet from the server. */
    String reply() throws IOException {
        int first;
        while ((first = in.read()) == '+') {
            // An acknowledgement of something sent raw.
        }
        if (first != '$') {
            throw first < 0 ? new EOFException() : new IOException("No packet but " + first);
        }
        ByteArrayOutputStream contents = new ByteArrayOutputStream();
        int sum = 0;
        int value;
        while ((value = in.read()) != '#') {
            if (value < 0) {
                throw new EOFException();
            }
            sum += value;
            contents.write(value == '}' ? escaped() : value);
            // The escaped character counts too.
            sum += value == '}' ? lastEscaped : 0;
        }
        String checksum = "" + (char) in.read() + (char) in.read();
        if (Integer.parseInt(checksum, 16) != (sum & 0xff)) {
            throw new IOException("Wrong checksum");
        }
        if (acknowledging) {
            raw("+");
        }
        return contents.toString(StandardCharsets.ISO_8859_1);
    }

    private int lastEscaped;

    private int escaped() throws IOException {
        lastEscaped = in.read();
        return lastEscaped ^ 0x20;
    }

    /** A register of the selected thread, little-endian on the wire. */
    long register(int number) throws IOException {
        return littleEndian(ask("p%x".formatted(number)));
    }

    long memory(long address, int length) throws IOException {
        return littleEndian(ask("m%x,%x".formatted(address, length)));
    }

    static long littleEndian(String digits) {
        byte[] bytes = HexFormat.of().parseHex(digits);
        long value = 0;
        for (int n = 0; n < Math.min(8, bytes.length); n++) {
            value |= (bytes[n] & 0xffL) << 8 * n;
        }
        return value;
    }

    /** What a monitor command prints. */
    String monitor(String command) throws IOException {
        send("qRcmd," + HexFormat.of().formatHex(command.getBytes(StandardCharsets.UTF_8)));
        StringBuilder output = new StringBuilder();
        String reply;
        while ((reply = reply()).startsWith("O") && !reply.equals("OK")) {
            byte[] text = HexFormat.of().parseHex(reply.substring(1));
            output.append(new String(text, StandardCharsets.UTF_8));
        }
        return output.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
