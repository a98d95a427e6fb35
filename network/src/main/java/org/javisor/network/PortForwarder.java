package org.javisor.network;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Listens on the host's forwarded ports. Used under its network's lock. */
final class PortForwarder {
    private static final int BURST = 32;
    private static final int BACKLOG = 128;

    private final EventLoop loop;
    private final Streams streams;
    private final Datagrams datagrams;
    private final Map<PortForward, NetworkChannel> channels = new LinkedHashMap<>();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(65535);

    /** Takes a client's connection. */
    interface Streams {
        /**
         * @return false if there is no guest for it
         */
        boolean open(PortForward forward, InetSocketAddress client, TcpConnection.Opener opener);
    }

    /** Takes a client's datagram. */
    interface Datagrams {
        void deliver(
                PortForward forward,
                InetSocketAddress client,
                ByteBuffer data,
                UdpRelay.Answer answer);
    }

    PortForwarder(EventLoop loop, Streams streams, Datagrams datagrams) {
        this.loop = loop;
        this.streams = streams;
        this.datagrams = datagrams;
    }

    /**
     * Begins to listen.
     *
     * @return the same with the port that was picked
     * @throws NetworkException PORT_TAKEN if it is not to be had
     */
    PortForward add(PortForward forward) {
        InetSocketAddress address = new InetSocketAddress(forward.bind(), forward.hostPort());
        NetworkChannel channel = null;
        try {
            channel =
                    switch (forward.protocol()) {
                        case TCP -> ServerSocketChannel.open();
                        case UDP -> DatagramChannel.open();
                    };
            return listen(channel, address, forward);
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                UserNetwork.closeQuietly(channel);
            }
            String reason = e.getMessage() == null ? e.toString() : e.getMessage();
            throw new NetworkException(
                    NetworkException.Code.PORT_TAKEN,
                    "Cannot forward %s port %d of %s: %s; take another, or 0 for any that is free"
                            .formatted(
                                    forward.protocol(),
                                    forward.hostPort(),
                                    forward.bind().getHostAddress(),
                                    reason),
                    e);
        }
    }

    private PortForward listen(
            NetworkChannel channel, InetSocketAddress address, PortForward forward)
            throws IOException {
        switch (channel) {
            case ServerSocketChannel server -> {
                server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                server.bind(address, BACKLOG).configureBlocking(false);
                PortForward actual = forward.on(port(server));
                loop.register(server, SelectionKey.OP_ACCEPT, key -> accept(server, actual));
                channels.put(actual, server);
                return actual;
            }
            case DatagramChannel socket -> {
                socket.bind(address).configureBlocking(false);
                PortForward actual = forward.on(port(socket));
                loop.register(socket, SelectionKey.OP_READ, key -> receive(socket, actual));
                channels.put(actual, socket);
                return actual;
            }
            default -> throw new AssertionError(channel);
        }
    }

    private static int port(NetworkChannel channel) throws IOException {
        return ((InetSocketAddress) channel.getLocalAddress()).getPort();
    }

    private void accept(ServerSocketChannel server, PortForward forward) {
        for (int i = 0; i < BURST; i++) {
            try {
                SocketChannel client = server.accept();
                if (client == null) {
                    return;
                }
                InetSocketAddress from = (InetSocketAddress) client.getRemoteAddress();
                boolean opened =
                        streams.open(
                                forward,
                                from,
                                connection -> NioHostStream.from(connection, loop, client));
                if (!opened) {
                    UserNetwork.closeQuietly(client);
                }
            } catch (IOException e) {
                // The client has gone again, or descriptors have run out; others may do better.
                return;
            }
        }
    }

    private void receive(DatagramChannel socket, PortForward forward) {
        for (int i = 0; i < BURST; i++) {
            try {
                scratch.clear();
                InetSocketAddress from = (InetSocketAddress) socket.receive(scratch);
                if (from == null) {
                    return;
                }
                datagrams.deliver(
                        forward, from, scratch.flip(), data -> answer(socket, from, data));
            } catch (IOException e) {
                // An ICMP error that an earlier answer has earned.
                return;
            }
        }
    }

    private static void answer(DatagramChannel socket, InetSocketAddress to, ByteBuffer data) {
        try {
            socket.send(data, to);
        } catch (IOException e) {
            // Datagrams may be lost.
            return;
        }
    }

    /**
     * @return whether there was such a one
     */
    boolean remove(PortForward forward) {
        NetworkChannel channel = channels.remove(forward);
        if (channel == null) {
            return false;
        }
        UserNetwork.closeQuietly(channel);
        loop.wake();
        return true;
    }

    List<PortForward> list() {
        return List.copyOf(channels.keySet());
    }

    void close() {
        channels.values().forEach(UserNetwork::closeQuietly);
        channels.clear();
    }
}
