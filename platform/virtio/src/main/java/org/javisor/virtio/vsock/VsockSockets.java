package org.javisor.virtio.vsock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A guest's vsock ports as Unix sockets, the way Firecracker shows them.
 *
 * <p>To reach a port of the guest's, a program connects to the socket, writes {@code CONNECT 52\n}
 * and reads {@code OK 1073741824\n}, the number of the host's port; then the bytes are the
 * stream's. If the guest does not answer or refuses, the connection ends without a line. When a
 * program in the guest connects to port 52 of the host (CID 2), that arrives at the socket with
 * {@code _52} added to the name; if nobody listens there, the guest is refused.
 */
public final class VsockSockets implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int LONGEST_LINE = 32;
    private static final int BUFFER = 1 << 16;

    private final VirtioVsock device;
    private final Path path;
    private final ServerSocketChannel server;

    private VsockSockets(VirtioVsock device, Path path, ServerSocketChannel server) {
        this.device = device;
        this.path = path;
        this.server = server;
    }

    /**
     * Makes the socket. One that a process left behind which is gone is replaced.
     *
     * @throws IOException if the socket is in use or cannot be made
     */
    public static VsockSockets open(VirtioVsock device, Path path) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        removeStale(path, address);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(address);
        } catch (IOException e) {
            server.close();
            throw e;
        }
        VsockSockets sockets = new VsockSockets(device, path, server);
        device.listenElsewhere(sockets::toHost);
        Thread.ofVirtual().name("vsock-" + path.getFileName()).start(sockets::acceptAll);
        return sockets;
    }

    private static void removeStale(Path path, UnixDomainSocketAddress address) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        if (Files.isRegularFile(path) || Files.isDirectory(path)) {
            throw new IOException("There is already a file " + path);
        }
        try (SocketChannel ignored = SocketChannel.open(address)) {
            throw new IOException("Another program listens at " + path);
        } catch (java.net.ConnectException e) {
            Files.delete(path);
        }
    }

    private void acceptAll() {
        while (true) {
            try {
                SocketChannel client = server.accept();
                Thread.ofVirtual().name("vsock-client").start(() -> toGuest(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void toGuest(SocketChannel client) {
        try (client) {
            String line = readLine(client);
            if (!line.matches("CONNECT [0-9]{1,10}")) {
                return;
            }
            long port = Long.parseLong(line.substring("CONNECT ".length()));
            if (port > 0xffffffffL) {
                return;
            }
            try (VsockStream stream = device.connect((int) port, PATIENCE)) {
                String answer = "OK " + Integer.toUnsignedString(stream.hostPort()) + "\n";
                writeAll(client, ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII)));
                pump(client, stream);
            }
        } catch (IOException e) {
            // The client sees its connection end.
        }
    }

    private static String readLine(SocketChannel client) throws IOException {
        StringBuilder line = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (line.length() < LONGEST_LINE && client.read(one.clear()) == 1) {
            char c = (char) one.get(0);
            if (c == '\n') {
                return line.toString();
            }
            line.append(c);
        }
        return "";
    }

    private void toHost(VsockStream stream) throws IOException {
        Path target = Path.of(path + "_" + Integer.toUnsignedString(stream.hostPort()));
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(target))) {
            stream.accept();
            pump(client, stream);
        }
    }

    /** Carries bytes both ways until both have ended. */
    private static void pump(SocketChannel client, VsockStream stream) throws IOException {
        Thread upwards =
                Thread.ofVirtual().name("vsock-upwards").start(() -> sendAll(client, stream));
        try {
            byte[] buffer = new byte[BUFFER];
            int count;
            while ((count = stream.read(buffer, 0, buffer.length)) >= 0) {
                writeAll(client, ByteBuffer.wrap(buffer, 0, count));
            }
            client.shutdownOutput();
            upwards.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            client.close();
        }
    }

    private static void sendAll(SocketChannel client, VsockStream stream) {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        try {
            while (client.read(buffer.clear()) >= 0) {
                stream.write(buffer.array(), 0, buffer.position());
            }
            stream.shutdownOutput();
        } catch (IOException e) {
            stream.close();
        }
    }

    private static void writeAll(SocketChannel client, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            int ignored = client.write(bytes);
        }
    }

    /** Ends listening and removes the socket; streams go on. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot remove " + path, e);
        }
    }
}
