package org.javisor.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Carries the guest's datagrams. Each port of the guest's gets a socket of the host's, which passes
 * on what comes back from addresses that the guest has written to. Used under its network's lock.
 */
final class UdpRelay {
    static final int HEADER = 8;

    private static final int CHECKSUM = 6;
    private static final int MAXIMUM_SOCKETS = 512;
    private static final int MAXIMUM_SESSIONS = 1024;

    /** Addresses that one socket takes answers from. */
    private static final int MAXIMUM_PEERS = 64;

    /** What one event may receive. */
    private static final int BURST = 32;

    private static final long IDLE = TimeUnit.SECONDS.toNanos(120);
    private static final long LOOK = TimeUnit.SECONDS.toNanos(10);

    private final EventLoop loop;
    private final IpOutput output;
    private final UserNetworkConfig config;
    private final DnsRelay dns;

    /** Least recently used first. */
    private final Map<Source, Socket> sockets = new LinkedHashMap<>(16, 0.75f, true);

    /** Clients of forwarded ports, least recently used first. */
    private final Map<Flow, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

    private final ByteBuffer scratch = ByteBuffer.allocateDirect(65535);
    private long deadline = Long.MAX_VALUE;

    /** Takes a datagram from the guest to whom it answers. */
    interface Answer {
        void send(ByteBuffer data);
    }

    private record Source(IpAddress guest, int port) {}

    private static final class Session {
        final Answer answer;
        long used;

        Session(Answer answer) {
            this.answer = answer;
        }
    }

    private final class Socket implements EventLoop.Handler {
        final Source source;
        final DatagramChannel channel;
        final Set<InetAddress> peers = new HashSet<>();
        long used;

        Socket(Source source) throws IOException {
            this.source = source;
            channel = DatagramChannel.open();
            try {
                channel.configureBlocking(false);
                loop.register(channel, SelectionKey.OP_READ, this);
            } catch (IOException e) {
                UserNetwork.closeQuietly(channel);
                throw e;
            }
        }

        @Override
        public void ready(SelectionKey key) {
            try {
                for (int i = 0; i < BURST; i++) {
                    scratch.clear();
                    InetSocketAddress from = (InetSocketAddress) channel.receive(scratch);
                    if (from == null) {
                        return;
                    }
                    scratch.flip();
                    if (peers.contains(from.getAddress())) {
                        used = System.nanoTime();
                        send(guestView(from), from.getPort(), source.guest, source.port, scratch);
                    }
                }
            } catch (IOException e) {
                // An ICMP error for one of the peers; the others are not affected.
                peers.clear();
            }
        }

        private IpAddress guestView(InetSocketAddress from) {
            if (!from.getAddress().isLoopbackAddress()) {
                return IpAddress.of(from.getAddress());
            }
            return source.guest.isV4() ? UserNetworkConfig.GATEWAY : UserNetworkConfig.GATEWAY6;
        }
    }

    UdpRelay(EventLoop loop, IpOutput output, UserNetworkConfig config, DnsRelay dns) {
        this.loop = loop;
        this.output = output;
        this.config = config;
        this.dns = dns;
    }

    /** Takes a datagram from the guest; the IP layer has checked addresses and checksum. */
    void receive(IpAddress guest, IpAddress peer, ByteBuffer packet, int start, int length) {
        if (length < HEADER) {
            return;
        }
        int guestPort = packet.getShort(start) & 0xffff;
        int peerPort = packet.getShort(start + 2) & 0xffff;
        int size = (packet.getShort(start + 4) & 0xffff) - HEADER;
        if (size < 0 || size > length - HEADER || guestPort == 0 || peerPort == 0) {
            return;
        }
        ByteBuffer data = packet.slice(start + HEADER, size);
        Session session = sessions.get(new Flow(guest, guestPort, peer, peerPort));
        if (session != null) {
            session.used = System.nanoTime();
            session.answer.send(data);
        } else if (config.restrict()) {
            return;
        } else if (UserNetworkConfig.isNameServer(peer)) {
            if (peerPort == DnsRelay.PORT) {
                dns.ask(data, answer -> send(peer, peerPort, guest, guestPort, answer));
            }
        } else if (UserNetworkConfig.mayReach(peer)) {
            carry(new Source(guest, guestPort), peer, peerPort, data);
        }
    }

    private void carry(Source source, IpAddress peer, int port, ByteBuffer data) {
        try {
            Socket socket = sockets.get(source);
            if (socket == null) {
                makeRoom(sockets, MAXIMUM_SOCKETS);
                socket = new Socket(source);
                sockets.put(source, socket);
            }
            socket.used = System.nanoTime();
            look();
            InetAddress address = UserNetworkConfig.onHost(peer);
            if (socket.peers.size() >= MAXIMUM_PEERS) {
                socket.peers.clear();
            }
            socket.peers.add(address);
            socket.channel.send(data, new InetSocketAddress(address, port));
        } catch (IOException | RuntimeException e) {
            // No way there, or no descriptor left: datagrams may be lost.
            return;
        }
    }

    private void makeRoom(Map<?, ?> map, int most) {
        if (map.size() >= most) {
            Iterator<?> oldest = map.values().iterator();
            if (oldest.next() instanceof Socket socket) {
                UserNetwork.closeQuietly(socket.channel);
            }
            oldest.remove();
        }
    }

    /**
     * A datagram has come to a forwarded port.
     *
     * @param answer takes what the guest sends back
     */
    void forwarded(Flow flow, ByteBuffer data, Answer answer) {
        if (!sessions.containsKey(flow)) {
            makeRoom(sessions, MAXIMUM_SESSIONS);
        }
        Session session = sessions.computeIfAbsent(flow, f -> new Session(answer));
        session.used = System.nanoTime();
        look();
        send(flow.peer(), flow.peerPort(), flow.guest(), flow.guestPort(), data);
    }

    private void send(
            IpAddress from, int fromPort, IpAddress guest, int guestPort, ByteBuffer data) {
        int length = HEADER + data.remaining();
        boolean four = guest.isV4();
        // IPv6 routers do not cut packets, and this one has nobody to tell about them.
        if (from.isV4() != four || !four && length + IpOutput.IPV6_HEADER > output.mtu()) {
            return;
        }
        if (four && length + IpOutput.IPV4_HEADER > 65535) {
            return;
        }
        Frame frame = output.begin(guest);
        ByteBuffer head = frame.part(0);
        int at = output.transport(guest);
        head.putShort(at, (short) fromPort);
        head.putShort(at + 2, (short) guestPort);
        head.putShort(at + 4, (short) length);
        head.putShort(at + 6, (short) 0);
        output.endHead(frame, at + HEADER);
        frame.append(data);
        output.send(frame, from, guest, IpOutput.UDP, CHECKSUM);
    }

    // Time

    long deadline() {
        return Math.min(deadline, dns.deadline());
    }

    private void look() {
        if (deadline == Long.MAX_VALUE) {
            deadline = System.nanoTime() + LOOK;
            loop.wake();
        }
    }

    void expire(long now) {
        dns.expire(now);
        if (now < deadline) {
            return;
        }
        sessions.values().removeIf(session -> now - session.used > IDLE);
        sockets.values()
                .removeIf(
                        socket -> {
                            boolean idle = now - socket.used > IDLE;
                            if (idle) {
                                UserNetwork.closeQuietly(socket.channel);
                            }
                            return idle;
                        });
        boolean any = !sessions.isEmpty() || !sockets.isEmpty();
        deadline = any ? now + LOOK : Long.MAX_VALUE;
    }

    void close() {
        sockets.values().forEach(socket -> UserNetwork.closeQuietly(socket.channel));
        sockets.clear();
        sessions.clear();
        dns.close();
    }
}
