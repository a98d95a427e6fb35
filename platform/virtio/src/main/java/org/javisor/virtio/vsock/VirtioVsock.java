package org.javisor.virtio.vsock;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.device.DeviceState;
import org.javisor.virtio.ConfigImage;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.EmptyState;
import org.javisor.virtio.QueueWorker;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;
import org.javisor.virtio.Virtqueue;

/** The guest's sockets to the host, and the host's to the guest. */
public final class VirtioVsock implements VirtioDevice {
    /** The host's context ID. */
    public static final long HOST = 2;

    /** A guest's context IDs: 3 to 2^32 - 2. */
    public static final long FIRST_GUEST = 3;

    public static final long LAST_GUEST = 0xfffffffeL;

    /** Streams at once; more are refused. */
    public static final int MOST_STREAMS = 1024;

    /** Carries out what the guest asks of a port; on a thread of its own. */
    @FunctionalInterface
    public interface Service {
        /**
         * @param stream not accepted yet; if this returns or throws without {@link
         *     VsockStream#accept}, the guest is refused, otherwise the stream is closed
         */
        void serve(VsockStream stream) throws IOException;
    }

    private static final int DEVICE_ID = 19;
    private static final int STREAMS = 0;
    private static final int QUEUE_SIZE = 128;

    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int EVENTS = 2;
    private static final int QUEUES = 3;

    /** The worker's task of sending what is ready. */
    private static final int SEND = QUEUES;

    /** Refusals that wait for the guest to take them; it is not listened to beyond that. */
    private static final int MOST_REFUSALS = 128;

    private static final int FIRST_HOST_PORT = 0x40000000;

    /** An event: all streams are gone (5.10.6.7). */
    private static final int TRANSPORT_RESET = 0;

    private record Ports(int guest, int host) {}

    private final long cid;
    private final String name;
    private final QueueWorker worker;
    private volatile DriverSetup setup;
    private volatile Optional<VsockSockets> sockets = Optional.empty();

    /** Guards everything below, and all streams. */
    final ReentrantLock lock = new ReentrantLock();

    private final Map<Ports, VsockStream> streams = new HashMap<>();
    private final Map<Integer, Service> services = new HashMap<>();
    private Optional<Service> otherPorts = Optional.empty();

    /** In the order of their turns. */
    private final Set<VsockStream> ready = new LinkedHashSet<>();

    private int serving;
    private final Deque<VsockPacket> refusals = new ArrayDeque<>();
    private final DescriptorChain chain = new DescriptorChain();
    private int nextHostPort = FIRST_HOST_PORT;
    private boolean active;
    private boolean resetDue;

    /**
     * @param name of its threads
     * @param cid the guest's context ID
     */
    public VirtioVsock(String name, long cid) {
        if (cid < FIRST_GUEST || cid > LAST_GUEST) {
            throw new IllegalArgumentException("No guest has the context ID " + cid);
        }
        this.cid = cid;
        this.name = name;
        worker = new QueueWorker(name, this::work);
    }

    public long cid() {
        return cid;
    }

    // For programs on the host

    /**
     * Connects to a port on which a program in the guest listens.
     *
     * @param patience how long the guest may take to answer
     * @throws IOException if the guest has no driver, refuses, or does not answer
     */
    public VsockStream connect(int port, Duration patience) throws IOException {
        VsockStream stream;
        lock.lock();
        try {
            if (!active) {
                throw new IOException("The guest has no vsock driver yet");
            }
            stream = newStream(new Ports(port, freeHostPort(port)), false);
            ready(stream);
        } finally {
            lock.unlock();
        }
        stream.awaitOpen(patience.toNanos());
        return stream;
    }

    private int freeHostPort(int guestPort) {
        while (streams.containsKey(new Ports(guestPort, nextHostPort))) {
            nextHostPort++;
        }
        return nextHostPort++;
    }

    private VsockStream newStream(Ports ports, boolean byGuest) throws IOException {
        if (streams.size() >= MOST_STREAMS) {
            throw new IOException("There are too many vsock streams");
        }
        VsockStream stream = new VsockStream(this, ports.guest(), ports.host(), byGuest);
        streams.put(ports, stream);
        return stream;
    }

    /** Serves a port of the host's; replaces whoever did before. */
    public void listen(int port, Service service) {
        lock.lock();
        try {
            services.put(port, service);
        } finally {
            lock.unlock();
        }
    }

    /** Serves all ports of the host's that nobody listens on. */
    public void listenElsewhere(Service service) {
        lock.lock();
        try {
            otherPorts = Optional.of(service);
        } finally {
            lock.unlock();
        }
    }

    /** Lets the device's end be that of its sockets on the host. */
    public void closeWith(VsockSockets hostSockets) {
        sockets = Optional.of(hostSockets);
    }

    // For streams, with the lock held

    /** The stream may have something for the guest. */
    void ready(VsockStream stream) {
        if (active && (stream.hasPacket() || stream.over())) {
            ready.add(stream);
            worker.signal(SEND);
        }
    }

    VsockPacket header(
            VsockStream stream,
            int operation,
            int flags,
            int length,
            int allocated,
            int forwarded) {
        return new VsockPacket(
                HOST,
                cid,
                stream.hostPort(),
                stream.guestPort(),
                length,
                VsockPacket.STREAM,
                operation,
                flags,
                allocated,
                forwarded);
    }

    // For the guest

    private void work(int number) {
        DriverSetup current = setup;
        lock.lock();
        try {
            if (number == TRANSMIT) {
                takePackets(current.queue(TRANSMIT));
            } else if (number == EVENTS) {
                tellReset(current.queue(EVENTS));
            }
            boolean full = refusals.size() >= MOST_REFUSALS;
            givePackets(current.queue(RECEIVE));
            if (full && refusals.size() < MOST_REFUSALS) {
                worker.signal(TRANSMIT);
            }
        } finally {
            lock.unlock();
        }
    }

    private void takePackets(Virtqueue queue) {
        while (refusals.size() < MOST_REFUSALS && queue.next(chain)) {
            if (chain.readableLength() >= VsockPacket.HEADER) {
                takePacket(VsockPacket.read(chain));
            }
            queue.addUsed(chain, 0);
        }
        queue.flushUsed();
    }

    private void takePacket(VsockPacket packet) {
        if (packet.sourceCid() != cid) {
            // Nobody to answer to.
            return;
        }
        VsockStream stream = streams.get(new Ports(packet.sourcePort(), packet.targetPort()));
        boolean forHost = packet.targetCid() == HOST && packet.type() == VsockPacket.STREAM;
        if (forHost && stream != null) {
            stream.receive(packet, new DescriptorChainPayload(chain));
            forgetIfOver(stream);
        } else if (!forHost || packet.operation() != VsockPacket.REQUEST || !serve(packet)) {
            if (packet.operation() != VsockPacket.RESET) {
                refusals.add(packet.refusal());
            }
        }
    }

    private boolean serve(VsockPacket packet) {
        Service service = services.getOrDefault(packet.targetPort(), otherPorts.orElse(null));
        if (service == null || serving >= MOST_STREAMS) {
            return false;
        }
        try {
            Ports ports = new Ports(packet.sourcePort(), packet.targetPort());
            VsockStream stream = newStream(ports, true);
            stream.receive(packet.asCredit(), new DescriptorChainPayload(chain));
            serving++;
            Thread.ofVirtual()
                    .name(name + "-" + Integer.toUnsignedString(packet.targetPort()))
                    .start(() -> serve(stream, service));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void serve(VsockStream stream, Service service) {
        try (stream) {
            service.serve(stream);
        } catch (IOException e) {
            // Closing tells the guest; there is nobody else to tell.
        } finally {
            lock.lock();
            serving--;
            lock.unlock();
        }
    }

    private void givePackets(Virtqueue queue) {
        while (!refusals.isEmpty() && queue.next(chain)) {
            if (chain.writableLength() < VsockPacket.HEADER) {
                queue.addUsed(chain, 0);
                continue;
            }
            refusals.poll().write(chain);
            queue.addUsed(chain, VsockPacket.HEADER);
        }
        while (!ready.isEmpty()) {
            VsockStream stream = ready.iterator().next();
            if (stream.hasPacket()) {
                if (!queue.next(chain)) {
                    break;
                }
                long room = chain.writableLength() - VsockPacket.HEADER;
                if (room < 0) {
                    queue.addUsed(chain, 0);
                    continue;
                }
                int most = (int) Math.min(room, VsockStream.CAPACITY);
                queue.addUsed(chain, stream.makePacket(chain, most));
            }
            ready.remove(stream);
            forgetIfOver(stream);
            // Behind the others, so that each gets its turn.
            if (stream.hasPacket()) {
                ready.add(stream);
            }
        }
        queue.flushUsed();
    }

    private void forgetIfOver(VsockStream stream) {
        if (stream.over()) {
            streams.remove(new Ports(stream.guestPort(), stream.hostPort()), stream);
        }
    }

    private void tellReset(Virtqueue queue) {
        if (resetDue && queue.next(chain)) {
            resetDue = false;
            chain.writeNumber(0, 4, TRANSPORT_RESET);
            queue.complete(chain, 4);
        }
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return 1L << STREAMS;
    }

    @Override
    public int[] queueSizes() {
        return new int[] {QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE};
    }

    @Override
    public int configSize() {
        return 8;
    }

    @Override
    public long readConfig(int offset, int size) {
        return new ConfigImage(8).put(0, 8, cid).get(offset, size);
    }

    @Override
    public void connect(VirtioSignals signals) {}

    @Override
    public void activate(DriverSetup newSetup) {
        setup = newSetup;
        worker.start();
        lock.lock();
        try {
            active = true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void notified(int queue) {
        worker.signal(queue);
    }

    @Override
    public void reset() {
        worker.stop();
        lock.lock();
        try {
            active = false;
            resetDue = false;
            new ArrayList<>(streams.values()).forEach(VsockStream::gone);
            streams.clear();
            ready.clear();
            refusals.clear();
        } finally {
            lock.unlock();
        }
    }

    /** Streams end at a snapshot's restoration, as the host's ends of them are elsewhere. */
    @Override
    public DeviceState save() {
        worker.finish();
        return new EmptyState();
    }

    @Override
    public void restore(DeviceState state) {
        lock.lock();
        try {
            resetDue = true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        sockets.ifPresent(VsockSockets::close);
        reset();
        worker.close();
    }
}
