package org.javisor.network;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** All TCP connections of one guest network. Used under its network's lock. */
final class TcpRelay {
    /** What a hostile guest can hold: each has two queues of up to 512 KiB at the very worst. */
    static final int MAXIMUM_CONNECTIONS = 1000;

    private static final int FIRST_PORT = 32768;

    private final TcpOutput output;
    private final Connector connector;
    private final LongSupplier clock;
    private final RandomGenerator random;
    private final Runnable earlier;
    private final ChunkPool pool = new ChunkPool();
    private final Map<Flow, TcpConnection> connections = new HashMap<>();
    private final Map<Flow, PortProbe> probes = new HashMap<>();
    private final Set<TcpConnection> unacknowledged = new LinkedHashSet<>();
    private final Set<TcpConnection> waitingForRoom = new LinkedHashSet<>();
    private final TcpHeader header = new TcpHeader();
    private long deadline = Long.MAX_VALUE;
    private int port = FIRST_PORT;

    /** Makes host sockets for connections that the guest asks for. */
    interface Connector {
        /** Whether the guest may go there at all. */
        boolean allows(Flow flow);

        HostStream open(TcpConnection connection);
    }

    /**
     * @param clock nanoseconds, monotonic
     * @param earlier told when {@link #deadline} has become earlier
     */
    TcpRelay(
            TcpOutput output,
            Connector connector,
            LongSupplier clock,
            RandomGenerator random,
            Runnable earlier) {
        this.output = output;
        this.connector = connector;
        this.clock = clock;
        this.random = random;
        this.earlier = earlier;
    }

    ChunkPool pool() {
        return pool;
    }

    long now() {
        return clock.getAsLong();
    }

    int connections() {
        return connections.size();
    }

    /**
     * Takes a segment from the guest; the IP layer has checked addresses and checksum.
     *
     * @param start where TCP's header begins
     * @param length of header and data
     */
    void receive(
            IpAddress guest, IpAddress peer, java.nio.ByteBuffer packet, int start, int length) {
        if (!header.read(packet, start, length)) {
            return;
        }
        Flow flow = new Flow(guest, header.sourcePort, peer, header.targetPort);
        TcpConnection connection = connections.get(flow);
        boolean opening =
                (header.flags & (TcpHeader.SYN | TcpHeader.ACK | TcpHeader.RST)) == TcpHeader.SYN;
        if (connection != null && opening && connection.state() == TcpConnection.State.TIME_WAIT) {
            connection.abort();
            connection = null;
        }
        if (connection != null) {
            connection.segment(now(), header);
        } else if (opening && connector.allows(flow) && roomForOne()) {
            connection = new TcpConnection(flow, this, output, random.nextInt(), connector::open);
            connections.put(flow, connection);
            connection.openByGuest(header);
        } else {
            PortProbe probe = probes.get(flow);
            if (probe != null) {
                probe.answered(header);
            }
            output.refuse(flow, header);
        }
    }

    /** Connections that only wait for late segments make room for new ones. */
    private boolean roomForOne() {
        if (connections.size() < MAXIMUM_CONNECTIONS) {
            return true;
        }
        for (TcpConnection connection : connections.values()) {
            if (connection.state() == TcpConnection.State.TIME_WAIT) {
                connection.abort();
                return true;
            }
        }
        return false;
    }

    /**
     * Opens a connection into the guest.
     *
     * @param peer who the guest shall see
     * @param peerPort its port; another one if that is in use
     * @return false if there are too many connections
     */
    boolean open(
            IpAddress guest,
            int guestPort,
            IpAddress peer,
            int peerPort,
            TcpConnection.Opener opener) {
        if (!roomForOne()) {
            return false;
        }
        Flow flow = free(new Flow(guest, guestPort, peer, peerPort));
        TcpConnection connection = new TcpConnection(flow, this, output, random.nextInt(), opener);
        connections.put(flow, connection);
        connection.openByHost(now());
        return true;
    }

    /** The flow, or one with another port of the peer's if that is in use. */
    private Flow free(Flow wished) {
        Flow flow = wished;
        while (connections.containsKey(flow) || probes.containsKey(flow)) {
            port = port == 0xffff ? FIRST_PORT : port + 1;
            flow = new Flow(flow.guest(), flow.guestPort(), flow.peer(), port);
        }
        return flow;
    }

    /**
     * Asks whether a port of the guest's is listened on; {@link #forget} must follow.
     *
     * @param peer who the guest shall see
     */
    PortProbe probe(IpAddress guest, int guestPort, IpAddress peer) {
        PortProbe probe =
                new PortProbe(free(new Flow(guest, guestPort, peer, FIRST_PORT)), random.nextInt());
        probes.put(probe.flow, probe);
        int shift = TcpReceiver.SHIFT;
        output.send(probe.flow, TcpHeader.SYN, probe.sequence, 0, 0xffff, shift, null, 0, 0, 1);
        return probe;
    }

    /** Nobody waits for this answer any more. */
    void forget(PortProbe probe) {
        probes.remove(probe.flow, probe);
    }

    /** The guest's burst is over. */
    void flush() {
        if (unacknowledged.isEmpty()) {
            return;
        }
        List<TcpConnection> all = List.copyOf(unacknowledged);
        unacknowledged.clear();
        all.forEach(TcpConnection::flush);
    }

    void acknowledgeLater(TcpConnection connection) {
        unacknowledged.add(connection);
    }

    /** The link has refused something of this connection's. */
    void refused(TcpConnection connection) {
        waitingForRoom.add(connection);
    }

    void roomAgain() {
        if (waitingForRoom.isEmpty()) {
            return;
        }
        List<TcpConnection> all = List.copyOf(waitingForRoom);
        waitingForRoom.clear();
        long now = now();
        all.forEach(connection -> connection.roomAgain(now));
    }

    /** The guest's address has become known: what was asked in vain is asked again. */
    void guestFound() {
        long now = now();
        for (TcpConnection connection : List.copyOf(connections.values())) {
            if (connection.state() == TcpConnection.State.SYN_SENT) {
                connection.expired(now);
            }
        }
    }

    // Time

    /** When {@link #expire} wants to be called; {@link Long#MAX_VALUE} for never. */
    long deadline() {
        return deadline;
    }

    /** The connection's deadline may be earlier now. Later ones are noticed when they pass. */
    void schedule(TcpConnection connection) {
        long its = connection.deadline();
        if (its < deadline) {
            deadline = its;
            earlier.run();
        }
    }

    void expire(long now) {
        if (now < deadline) {
            return;
        }
        deadline = Long.MAX_VALUE;
        for (TcpConnection connection : new ArrayList<>(connections.values())) {
            if (connection.deadline() <= now) {
                connection.expired(now);
            }
            if (connection.state() != TcpConnection.State.CLOSED) {
                deadline = Math.min(deadline, connection.deadline());
            }
        }
    }

    void remove(TcpConnection connection) {
        connections.remove(connection.flow, connection);
        unacknowledged.remove(connection);
        waitingForRoom.remove(connection);
    }

    /** Ends all connections. */
    void close() {
        List.copyOf(connections.values()).forEach(TcpConnection::cut);
    }
}
