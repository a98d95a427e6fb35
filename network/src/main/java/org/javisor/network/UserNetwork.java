package org.javisor.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A network that exists in this process only: a router, a DHCP server and a name server, played
 * towards one guest. What the guest sends is carried on by sockets of this process, so that it
 * needs no rights on the host, and nobody reaches the guest but through forwarded ports.
 *
 * <p>Frames are handled on the thread that delivers them; an event loop of this network's own waits
 * for the host's sockets.
 */
public final class UserNetwork implements Network {
    private final ReentrantLock lock = new ReentrantLock();
    private final UserNetworkConfig config;
    private final EventLoop loop;
    private final PortForwarder forwarder;
    private Stack stack;
    private boolean closed;

    /**
     * Opens the forwarded ports.
     *
     * @param name for thread names
     * @throws NetworkException PORT_TAKEN if one of them cannot be listened on
     */
    public UserNetwork(String name, UserNetworkConfig config) {
        this.config = config;
        loop = new EventLoop(name + "-user-net", lock, new Timers());
        forwarder = new PortForwarder(loop, this::openStream, this::deliverDatagram);
        try {
            for (PortForward forward : config.forwards()) {
                addForward(forward);
            }
        } catch (NetworkException e) {
            forwarder.close();
            loop.close();
            throw e;
        }
    }

    /** What needs a card to talk to. */
    private final class Stack implements LinkEnd {
        final IpOutput output;
        final TcpRelay tcp;
        final UdpRelay udp;
        final GuestInput input;

        Stack(LinkEnd card) {
            output = new IpOutput(card, UserNetworkConfig.MAC, config.mtu());
            SecureRandom random = new SecureRandom();
            tcp =
                    new TcpRelay(
                            new TcpOutput(output),
                            new Sockets(),
                            System::nanoTime,
                            random,
                            loop::wake);
            DnsRelay dns = new DnsRelay(loop, HostNames.in(config.hosts()), config.resolver());
            udp = new UdpRelay(loop, output, config, dns);
            input = new GuestInput(config, output, tcp, udp);
        }

        @Override
        public boolean deliver(Frame frame) {
            lock.lock();
            try {
                if (!closed) {
                    input.receive(frame);
                }
                return true;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void flush() {
            lock.lock();
            try {
                if (!closed) {
                    tcp.flush();
                    output.flush();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void roomAgain() {
            lock.lock();
            try {
                if (!closed) {
                    tcp.roomAgain();
                    output.flush();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int offloads() {
            return ALL_OFFLOADS;
        }
    }

    private final class Timers implements EventLoop.Timed {
        @Override
        public long deadline() {
            lock.lock();
            try {
                return stack == null
                        ? Long.MAX_VALUE
                        : Math.min(stack.tcp.deadline(), stack.udp.deadline());
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void turn(long now) {
            if (stack != null && !closed) {
                stack.tcp.expire(now);
                stack.udp.expire(now);
                stack.output.flush();
            }
        }
    }

    /** Where the guest's connections go. */
    private final class Sockets implements TcpRelay.Connector {
        @Override
        public boolean allows(Flow flow) {
            return !config.restrict()
                    && UserNetworkConfig.mayReach(flow.peer())
                    && (!UserNetworkConfig.isNameServer(flow.peer())
                            || flow.peerPort() == DnsRelay.PORT && nameServer().isPresent());
        }

        private Optional<InetAddress> nameServer() {
            return DnsRelay.servers(config.resolver()).stream().findFirst();
        }

        @Override
        public HostStream open(TcpConnection connection) {
            IpAddress peer = connection.flow.peer();
            InetAddress host =
                    UserNetworkConfig.isNameServer(peer)
                            ? nameServer().orElseThrow()
                            : UserNetworkConfig.onHost(peer);
            return NioHostStream.to(
                    connection, loop, new InetSocketAddress(host, connection.flow.peerPort()));
        }
    }

    @Override
    public LinkEnd connect(LinkEnd card) {
        lock.lock();
        try {
            if (stack != null) {
                throw new IllegalStateException("A card is plugged in already");
            }
            stack = new Stack(card);
            loop.start();
            return stack;
        } finally {
            lock.unlock();
        }
    }

    // Forwarded ports

    /**
     * Begins to forward a port.
     *
     * @return the same with the host port that was picked
     * @throws NetworkException PORT_TAKEN if it cannot be listened on
     */
    public PortForward addForward(PortForward forward) {
        lock.lock();
        try {
            if (closed) {
                throw new NetworkException(
                        NetworkException.Code.HOST_CANNOT, "The network is closed");
            }
            return forwarder.add(forward);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends a forward; connections that it has made go on.
     *
     * @param forward as {@link #forwards} shows it
     * @return whether there was such a one
     */
    public boolean removeForward(PortForward forward) {
        lock.lock();
        try {
            return forwarder.remove(forward);
        } finally {
            lock.unlock();
        }
    }

    /** The forwarded ports, with the host ports that were picked. */
    public List<PortForward> forwards() {
        lock.lock();
        try {
            return forwarder.list();
        } finally {
            lock.unlock();
        }
    }

    /** How many TCP connections there are. */
    public int connections() {
        lock.lock();
        try {
            return stack == null ? 0 : stack.tcp.connections();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Asks whether something in the guest accepts TCP connections at a port, without making one: no
     * program in the guest notices.
     *
     * @param patience how long the guest may take to answer
     */
    public boolean listens(int guestPort, Duration patience) throws InterruptedException {
        PortProbe probe;
        lock.lock();
        try {
            if (stack == null || closed) {
                return false;
            }
            InetAddress host = InetAddress.getLoopbackAddress();
            probe = stack.tcp.probe(stack.input.guest(host), guestPort, stack.input.peer(host));
            stack.output.flush();
        } finally {
            lock.unlock();
        }
        try {
            return probe.await(patience);
        } finally {
            lock.lock();
            try {
                stack.tcp.forget(probe);
            } finally {
                lock.unlock();
            }
        }
    }

    private boolean openStream(
            PortForward forward, InetSocketAddress client, TcpConnection.Opener opener) {
        if (stack == null) {
            return false;
        }
        IpAddress guest = stack.input.guest(client.getAddress());
        IpAddress peer = stack.input.peer(client.getAddress());
        return stack.tcp.open(guest, forward.guestPort(), peer, client.getPort(), opener);
    }

    private void deliverDatagram(
            PortForward forward,
            InetSocketAddress client,
            ByteBuffer data,
            UdpRelay.Answer answer) {
        if (stack != null) {
            IpAddress guest = stack.input.guest(client.getAddress());
            IpAddress peer = stack.input.peer(client.getAddress());
            Flow flow = new Flow(guest, forward.guestPort(), peer, client.getPort());
            stack.udp.forwarded(flow, data, answer);
        }
    }

    @Override
    public Optional<UserNetwork> userMode() {
        return Optional.of(this);
    }

    @Override
    public String description() {
        return "user-mode network" + (config.restrict() ? ", restricted" : "");
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (stack != null) {
                stack.tcp.close();
                stack.udp.close();
            }
            forwarder.close();
            closed = true;
        } finally {
            lock.unlock();
        }
        loop.close();
    }

    static void closeQuietly(AutoCloseable channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is lost: whoever closes does not expect more of it.
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
