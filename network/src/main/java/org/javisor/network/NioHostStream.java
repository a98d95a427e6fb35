package org.javisor.network;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/** A host's TCP socket under an event loop. */
final class NioHostStream implements HostStream, EventLoop.Handler {
    private final TcpConnection connection;
    private final EventLoop loop;
    private final SocketChannel channel;
    private final InetSocketAddress target;
    private SelectionKey key;

    private NioHostStream(
            TcpConnection connection,
            EventLoop loop,
            SocketChannel channel,
            InetSocketAddress target) {
        this.connection = connection;
        this.loop = loop;
        this.channel = channel;
        this.target = target;
    }

    /** A socket that {@link #connect} will connect. */
    static HostStream to(TcpConnection connection, EventLoop loop, InetSocketAddress target) {
        try {
            return new NioHostStream(connection, loop, SocketChannel.open(), target);
        } catch (IOException e) {
            return new Failed(connection);
        }
    }

    /** A socket that is connected. */
    static HostStream from(TcpConnection connection, EventLoop loop, SocketChannel channel) {
        NioHostStream stream = new NioHostStream(connection, loop, channel, null);
        try {
            stream.prepare();
            stream.key = loop.register(channel, 0, stream);
            return stream;
        } catch (IOException e) {
            closeQuietly(channel);
            return new Failed(connection);
        }
    }

    private void prepare() throws IOException {
        channel.configureBlocking(false);
        // The guest's stack has decided already when to send what.
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    @Override
    public void connect() {
        try {
            prepare();
            if (channel.connect(target)) {
                key = loop.register(channel, 0, this);
                connection.hostConnected(System.nanoTime());
            } else {
                key = loop.register(channel, SelectionKey.OP_CONNECT, this);
            }
        } catch (IOException | RuntimeException e) {
            // Unresolved and unsupported addresses are unchecked exceptions.
            connection.hostFailed();
        }
    }

    @Override
    public void ready(SelectionKey selected) {
        long now = System.nanoTime();
        if (selected.isConnectable()) {
            finishConnecting(now);
            return;
        }
        if (selected.isReadable()) {
            connection.hostReadable(now);
        }
        if (selected.isValid() && selected.isWritable()) {
            connection.hostWritable(now);
        }
    }

    private void finishConnecting(long now) {
        try {
            if (channel.finishConnect()) {
                key.interestOps(0);
                connection.hostConnected(now);
            }
        } catch (IOException e) {
            connection.hostFailed();
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return channel.read(target);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return channel.write(source);
    }

    @Override
    public void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    @Override
    public void want(boolean reading, boolean writing) {
        if (key != null && key.isValid()) {
            key.interestOps(
                    (reading ? SelectionKey.OP_READ : 0) | (writing ? SelectionKey.OP_WRITE : 0));
            loop.wake();
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
        // The descriptor is closed by the next select only.
        loop.wake();
    }

    @Override
    public void reset() {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            // Closed or never connected: there is nobody to tell.
        }
        close();
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is lost: whoever closes does not expect more of it.
        }
    }

    /** What stands for a socket that could not be made. */
    private record Failed(TcpConnection connection) implements HostStream {
        @Override
        public void connect() {
            connection.hostFailed();
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            throw new IOException("Not connected");
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            throw new IOException("Not connected");
        }

        @Override
        public void shutdownOutput() {}

        @Override
        public void want(boolean reading, boolean writing) {}

        @Override
        public void close() {}

        @Override
        public void reset() {}
    }
}
