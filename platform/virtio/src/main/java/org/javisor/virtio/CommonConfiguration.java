package org.javisor.virtio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.device.DeviceState;
import org.javisor.memory.GuestMemory;

/**
 * What a driver sets up a device by, whatever the transport's registers look like: status, features
 * and queues (virtio 1.2, sections 2.1, 2.2 and 3.1), and the device's life that follows from it.
 *
 * <p>The status is changed without the lock too, because a device that reports a broken driver may
 * do so while a reset, which holds the lock, waits for it.
 */
final class CommonConfiguration implements VirtioSignals {
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int NEEDS_RESET = 64;

    /** Acknowledge, driver, driver ok, features ok, failed. */
    private static final int WRITABLE = 1 | 2 | DRIVER_OK | FEATURES_OK | 128;

    /** The transport's interrupts. */
    interface Interrupts {
        void ofQueue(int index);

        void ofConfiguration();
    }

    private final VirtioDevice device;
    private final GuestMemory memory;
    private final Interrupts interrupts;
    private final long offered;
    private final int[] sizes;

    private final AtomicInteger status = new AtomicInteger();
    private final AtomicInteger generation = new AtomicInteger();
    private volatile boolean active;

    /** Whether the device may access guest memory; always, unless the transport says otherwise. */
    private boolean mayAccess = true;

    private long chosen;
    private int deviceFeatureWord;
    private int driverFeatureWord;
    private int selectedQueue;
    private final QueueSetup[] setups;
    private List<Virtqueue> queues = List.of();

    CommonConfiguration(
            VirtioDevice device, GuestMemory memory, Interrupts interrupts, boolean packed) {
        this.device = device;
        this.memory = memory;
        this.interrupts = interrupts;
        offered = device.features() | VirtioFeatures.offered(packed);
        sizes = device.queueSizes();
        setups = new QueueSetup[sizes.length];
        forgetQueues();
        device.connect(this);
    }

    private void forgetQueues() {
        for (int i = 0; i < sizes.length; i++) {
            setups[i] = QueueSetup.initial(sizes[i]);
        }
    }

    VirtioDevice device() {
        return device;
    }

    // Signals

    @Override
    public void configurationChanged() {
        generation.incrementAndGet();
        if (active) {
            interrupts.ofConfiguration();
        }
    }

    @Override
    public void broken(String reason) {
        int before = status.getAndUpdate(now -> (now & DRIVER_OK) == 0 ? now : now | NEEDS_RESET);
        if ((before & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK) {
            interrupts.ofConfiguration();
        }
    }

    // Status

    int status() {
        return status.get();
    }

    int generation() {
        return generation.get() & 0xff;
    }

    /** The driver writes the status; 0 resets. Bits are only ever added (2.1.1). */
    synchronized void setStatus(int value) {
        if ((value & 0xff) == 0) {
            reset();
            return;
        }
        int before = status.get();
        int added = value & ~before & WRITABLE;
        if ((added & FEATURES_OK) != 0 && !featuresAcceptable()) {
            added &= ~FEATURES_OK;
        }
        if ((added & DRIVER_OK) != 0 && ((before | added) & FEATURES_OK) == 0) {
            added &= ~DRIVER_OK;
        }
        int bits = added;
        status.updateAndGet(now -> now | bits);
        if ((added & DRIVER_OK) != 0 && mayAccess) {
            activate(null);
        }
    }

    /**
     * The transport allows or forbids access to guest memory. A device that is ready but not
     * allowed begins when it is; one that has begun and is cut off has lost what it was about, and
     * needs a reset.
     */
    synchronized void allowAccess(boolean allowed) {
        if (mayAccess == allowed) {
            return;
        }
        mayAccess = allowed;
        if (active) {
            stop();
            broken("The driver took the bus from a device in use");
        } else if (allowed && (status.get() & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK) {
            activate(null);
            for (int i = 0; i < sizes.length; i++) {
                notified(i);
            }
        }
    }

    private void stop() {
        active = false;
        queues.forEach(Virtqueue::kill);
        device.reset();
        queues = List.of();
    }

    private boolean featuresAcceptable() {
        return (chosen & ~offered) == 0
                && (chosen & VirtioFeatures.bit(VirtioFeatures.VERSION_1)) != 0
                && device.accepts(chosen);
    }

    synchronized void reset() {
        stop();
        status.set(0);
        chosen = 0;
        deviceFeatureWord = 0;
        driverFeatureWord = 0;
        selectedQueue = 0;
        forgetQueues();
    }

    /**
     * @param positions where the queues stand; null at their start
     */
    private void activate(List<Virtqueue.Position> positions) {
        List<Virtqueue> made = new ArrayList<>();
        for (int i = 0; i < setups.length; i++) {
            made.add(newQueue(i, positions));
        }
        queues = made;
        active = true;
        device.activate(new DriverSetup(chosen, memory, made));
    }

    private Virtqueue newQueue(int index, List<Virtqueue.Position> positions) {
        QueueSetup setup = setups[index];
        if (!setup.ready()) {
            return new AbsentQueue(memory);
        }
        boolean packed = (chosen & VirtioFeatures.bit(VirtioFeatures.RING_PACKED)) != 0;
        if (!setup.valid(packed, sizes[index])) {
            broken("The driver set up a queue that cannot be");
            return new AbsentQueue(memory);
        }
        Runnable interrupt = () -> interrupts.ofQueue(index);
        if (packed) {
            Virtqueue.Position at = positions == null ? PackedQueue.start() : positions.get(index);
            return new PackedQueue(setup, at, memory, chosen, interrupt, this);
        }
        Virtqueue.Position at =
                positions == null ? new Virtqueue.Position(0, 0) : positions.get(index);
        return new SplitQueue(setup, at, memory, chosen, interrupt, this);
    }

    /** A notification; takes no lock. Any number may come from the guest. */
    void notified(int queue) {
        if (active && queue >= 0 && queue < sizes.length && (status.get() & NEEDS_RESET) == 0) {
            device.notified(queue);
        }
    }

    // Features

    synchronized void selectDeviceFeatures(int word) {
        deviceFeatureWord = word;
    }

    synchronized int deviceFeatureWord() {
        return deviceFeatureWord;
    }

    synchronized int deviceFeatures() {
        return word(offered, deviceFeatureWord);
    }

    synchronized void selectDriverFeatures(int word) {
        driverFeatureWord = word;
    }

    synchronized int driverFeatureWord() {
        return driverFeatureWord;
    }

    synchronized int driverFeatures() {
        return word(chosen, driverFeatureWord);
    }

    private static int word(long features, int index) {
        return switch (index) {
            case 0 -> (int) features;
            case 1 -> (int) (features >>> 32);
            default -> 0;
        };
    }

    synchronized void setDriverFeatures(int value) {
        if ((status.get() & FEATURES_OK) != 0) {
            return;
        }
        if (driverFeatureWord == 0) {
            chosen = chosen & -1L << 32 | value & 0xffffffffL;
        } else if (driverFeatureWord == 1) {
            chosen = chosen & 0xffffffffL | (long) value << 32;
        }
    }

    // Queues

    int queueCount() {
        return sizes.length;
    }

    synchronized void selectQueue(int index) {
        selectedQueue = index;
    }

    synchronized int selectedQueue() {
        return selectedQueue;
    }

    /** The largest size of the selected queue; 0 if there is no such queue. */
    synchronized int maximumQueueSize() {
        return exists() ? sizes[selectedQueue] : 0;
    }

    private boolean exists() {
        return selectedQueue >= 0 && selectedQueue < sizes.length;
    }

    /** What is known of the selected queue; zeros if there is no such queue. */
    synchronized QueueSetup queue() {
        return exists() ? setups[selectedQueue] : QueueSetup.initial(0);
    }

    /** Changes the selected queue, if it exists and is not in use. */
    synchronized void setQueue(QueueSetup setup) {
        if (exists() && !active) {
            setups[selectedQueue] = setup;
        }
    }

    // Snapshots

    synchronized VirtioState save() {
        DeviceState deviceState = device.save();
        List<VirtioState.Queue> saved = new ArrayList<>();
        for (int i = 0; i < setups.length; i++) {
            Virtqueue.Position at =
                    active ? queues.get(i).position() : new Virtqueue.Position(0, 0);
            saved.add(VirtioState.Queue.of(setups[i], at));
        }
        return new VirtioState(
                status.get(),
                generation.get(),
                chosen,
                deviceFeatureWord,
                driverFeatureWord,
                selectedQueue,
                saved,
                deviceState);
    }

    synchronized void restore(VirtioState state) {
        reset();
        status.set(state.status());
        generation.set(state.generation());
        chosen = state.driverFeatures();
        deviceFeatureWord = state.deviceFeatureWord();
        driverFeatureWord = state.driverFeatureWord();
        selectedQueue = state.selectedQueue();
        List<Virtqueue.Position> positions = new ArrayList<>();
        for (int i = 0; i < setups.length; i++) {
            VirtioState.Queue queue = state.queues().get(i);
            setups[i] = queue.setup();
            positions.add(queue.position());
        }
        device.restore(state.device());
        if (mayAccess && (state.status() & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK) {
            activate(positions);
            for (int i = 0; i < setups.length; i++) {
                notified(i);
            }
        }
    }
}
