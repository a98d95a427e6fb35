package org.javisor.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * The host's end of the guests' TCP measurements, on the loopback interface: takes what a client
 * that begins with "w" writes and answers a byte at its end, and writes for ever to others.
 */
final class IoHost implements AutoCloseable {
    private static final int CHUNK = 1 << 17;

    private final ServerSocket listener;

    IoHost() {
        try {
            listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT, "Cannot listen: " + Text.reason(e), e);
        }
        Thread.ofPlatform().daemon().name("bench-peer").start(this::serve);
    }

    int port() {
        return listener.getLocalPort();
    }

    private void serve() {
        while (!listener.isClosed()) {
            try (Socket client = listener.accept()) {
                serve(client);
            } catch (IOException e) {
                // The guest closes while it is written to, and this object may be closed: both
                // are how it ends.
            }
        }
    }

    private static void serve(Socket client) throws IOException {
        byte[] chunk = new byte[CHUNK];
        InputStream in = client.getInputStream();
        OutputStream out = client.getOutputStream();
        if (in.read() == 'w') {
            while (in.read(chunk) > 0) {}
            out.write('e');
        } else {
            while (true) {
                out.write(chunk);
            }
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            // Nobody uses it any more.
        }
    }
}
