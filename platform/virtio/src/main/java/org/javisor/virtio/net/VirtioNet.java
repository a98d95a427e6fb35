package org.javisor.virtio.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.device.DeviceState;
import org.javisor.network.Frame;
import org.javisor.network.LinkEnd;
import org.javisor.network.MacAddress;
import org.javisor.network.Network;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;

/** A network card and the cable to its network (virtio 1.2, 5.1). */
public final class VirtioNet implements VirtioDevice {
    /** Entries of each queue. */
    public static final int QUEUE_SIZE = 256;

    private static final int DEVICE_ID = 1;
    private static final int CONFIG_SIZE = 12;
    private static final int LINK_UP = 1;

    private final MacAddress mac;
    private final int mtu;
    private final Network network;
    private final LinkEnd cable;
    private final List<Receiver> receivers = new ArrayList<>();
    private final List<Transmitter> transmitters = new ArrayList<>();
    private final Steering steering = new Steering();
    private final ReentrantLock lock = new ReentrantLock();
    private final ControlQueue control = new ControlQueue(new Commands());
    private VirtioSignals signals = VirtioSignals.UNCONNECTED;
    private volatile DriverSetup setup;
    private Optional<VirtioNetState> restored = Optional.empty();
    private volatile ReceiveFilter filter;
    private volatile int offloads;
    private volatile boolean active;
    private volatile boolean linkUp = true;
    private long guestOffloads;

    /**
     * Makes a card and plugs it in.
     *
     * @param name for thread names
     * @param mtu to tell the driver, 0 for none
     * @param pairs of queues, 1 to {@link org.javisor.network.NetSpec#MAXIMUM_QUEUES}
     * @param network closed with the card
     */
    public VirtioNet(String name, MacAddress mac, int mtu, int pairs, Network network) {
        this.mac = mac;
        this.mtu = mtu;
        this.network = network;
        filter = ReceiveFilter.initial(mac.value(), false);
        for (int i = 0; i < pairs; i++) {
            receivers.add(new Receiver());
            transmitters.add(new Transmitter(name + "-net-tx" + i, i, steering, this::tellOfRoom));
        }
        cable = network.connect(new CardEnd());
    }

    /** What the network sees of the card. */
    private final class CardEnd implements LinkEnd {
        @Override
        public boolean deliver(Frame frame) {
            ByteBuffer head = frame.part(0);
            if (!active || !linkUp || !filter.passes(head)) {
                return true;
            }
            return receivers.get(steering.queueFor(head)).deliver(frame);
        }

        @Override
        public void flush() {
            for (int i = 0; i < steering.pairs(); i++) {
                receivers.get(i).flush();
            }
        }

        @Override
        public void roomAgain() {
            transmitters.forEach(Transmitter::kick);
        }

        @Override
        public int offloads() {
            return offloads;
        }
    }

    /** What the control queue may change; under the lock. */
    private final class Commands implements ControlQueue.Settings {
        @Override
        public ReceiveFilter filter() {
            return filter;
        }

        @Override
        public void setFilter(ReceiveFilter newFilter) {
            filter = newFilter;
        }

        @Override
        public boolean usePairs(int count) {
            if (count < 1 || count > receivers.size()) {
                return false;
            }
            steering.use(count);
            return true;
        }

        @Override
        public boolean setOffloads(long set) {
            if ((set & ~(setup.features() & NetFeature.GUEST_OFFLOADS)) != 0) {
                return false;
            }
            guestOffloads = set;
            offloads = NetFeature.linkOffloads(set);
            return true;
        }
    }

    private void tellOfRoom() {
        receivers.forEach(Receiver::replenished);
        cable.roomAgain();
    }

    public MacAddress mac() {
        return mac;
    }

    public Network network() {
        return network;
    }

    /** Plugs the cable in or out; the driver is told. */
    public void setLink(boolean up) {
        lock.lock();
        try {
            if (linkUp == up) {
                return;
            }
            linkUp = up;
        } finally {
            lock.unlock();
        }
        signals.configurationChanged();
    }

    public NetStatistics statistics() {
        return new NetStatistics(
                transmitters.stream().mapToLong(t -> t.frames.get()).sum(),
                transmitters.stream().mapToLong(t -> t.bytes.get()).sum(),
                receivers.stream().mapToLong(r -> r.frames.get()).sum(),
                receivers.stream().mapToLong(r -> r.bytes.get()).sum(),
                receivers.stream().mapToLong(r -> r.dropped.get()).sum()
                        + transmitters.stream().mapToLong(t -> t.malformed.get()).sum());
    }

    // As a virtio device

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return NetFeature.offered(mtu != 0, receivers.size() > 1);
    }

    @Override
    public boolean accepts(long chosen) {
        return NetFeature.consistent(chosen);
    }

    @Override
    public int[] queueSizes() {
        int[] sizes = new int[2 * receivers.size() + 1];
        Arrays.fill(sizes, QUEUE_SIZE);
        return sizes;
    }

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public long readConfig(int offset, int size) {
        ByteBuffer space = ByteBuffer.allocate(CONFIG_SIZE + 8).order(ByteOrder.LITTLE_ENDIAN);
        space.put(0, mac.bytes());
        space.putShort(6, (short) (linkUp ? LINK_UP : 0));
        space.putShort(8, (short) receivers.size());
        space.putShort(10, (short) mtu);
        long value = space.getLong(offset);
        return size == 8 ? value : value & (1L << 8 * size) - 1;
    }

    @Override
    public void connect(VirtioSignals to) {
        signals = to;
    }

    @Override
    public void activate(DriverSetup newSetup) {
        lock.lock();
        try {
            setup = newSetup;
            long features = newSetup.features();
            boolean vlans = newSetup.has(NetFeature.CTRL_VLAN);
            filter = ReceiveFilter.initial(mac.value(), vlans);
            guestOffloads = features & NetFeature.GUEST_OFFLOADS;
            offloads = NetFeature.linkOffloads(features);
            steering.use(1);
            int pairs = pairs(newSetup);
            for (int i = 0; i < pairs; i++) {
                receivers
                        .get(i)
                        .activate(newSetup.queue(2 * i), newSetup.has(NetFeature.MRG_RXBUF));
                transmitters.get(i).activate(newSetup.queue(2 * i + 1), cable, features);
            }
            restored.ifPresent(this::resume);
            restored = Optional.empty();
            active = true;
        } finally {
            lock.unlock();
        }
    }

    /** What the driver had set when the state was saved. */
    private void resume(VirtioNetState saved) {
        BitSet vlans = BitSet.valueOf(saved.vlans().stream().mapToLong(Long::longValue).toArray());
        filter =
                new ReceiveFilter(
                        saved.everything(),
                        saved.allGroups(),
                        saved.mac(),
                        Set.copyOf(saved.addresses()),
                        filter.vlansFiltered(),
                        vlans);
        guestOffloads = saved.offloads();
        offloads = NetFeature.linkOffloads(guestOffloads);
        steering.use(Math.clamp(saved.pairs(), 1, pairs(setup)));
    }

    private int pairs(DriverSetup of) {
        return of.has(NetFeature.MQ) ? receivers.size() : 1;
    }

    @Override
    public void notified(int queue) {
        DriverSetup current = setup;
        if (current == null) {
            return;
        }
        int pairs = pairs(current);
        if (queue == 2 * pairs) {
            lock.lock();
            try {
                if (setup != null) {
                    control.work(setup.queue(queue), setup.features());
                }
            } finally {
                lock.unlock();
            }
        } else if (queue < 2 * pairs) {
            Transmitter transmitter = transmitters.get(queue / 2);
            if (queue % 2 == 0) {
                transmitter.kickRoom();
            } else {
                transmitter.notified();
            }
        }
    }

    @Override
    public void reset() {
        active = false;
        transmitters.forEach(Transmitter::deactivate);
        receivers.forEach(Receiver::deactivate);
        lock.lock();
        try {
            setup = null;
            offloads = 0;
            steering.use(1);
            filter = ReceiveFilter.initial(mac.value(), false);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public DeviceState save() {
        lock.lock();
        try {
            return new VirtioNetState(
                    linkUp,
                    steering.pairs(),
                    guestOffloads,
                    filter.everything(),
                    filter.allGroups(),
                    filter.mac(),
                    List.copyOf(filter.addresses()),
                    Arrays.stream(filter.vlans().toLongArray()).boxed().toList());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void restore(DeviceState state) {
        if (!(state instanceof VirtioNetState saved)) {
            throw new IllegalArgumentException("Not the state of a network device");
        }
        restored = Optional.of(saved);
        linkUp = saved.linkUp();
    }

    @Override
    public void close() {
        network.close();
        reset();
        transmitters.forEach(Transmitter::close);
    }
}
