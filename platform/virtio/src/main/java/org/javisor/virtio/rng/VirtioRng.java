package org.javisor.virtio.rng;

import java.util.function.Consumer;
import org.javisor.device.DeviceState;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.EmptyState;
import org.javisor.virtio.QueueWorker;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;
import org.javisor.virtio.Virtqueue;

/** A source of random numbers. */
public final class VirtioRng implements VirtioDevice {
    private static final int DEVICE_ID = 4;

    /** The most of one buffer that is filled; a driver asks again for more. */
    private static final int MOST = 4096;

    private final Consumer<byte[]> source;
    private final QueueWorker worker;
    private final DescriptorChain chain = new DescriptorChain();
    private final byte[] bytes = new byte[MOST];
    private volatile DriverSetup setup;

    /**
     * @param name of its thread
     * @param source fills an array, such as {@link java.security.SecureRandom#nextBytes}
     */
    public VirtioRng(String name, Consumer<byte[]> source) {
        this.source = source;
        worker = new QueueWorker(name, ignored -> fill());
    }

    private void fill() {
        Virtqueue queue = setup.queue(0);
        while (queue.next(chain)) {
            source.accept(bytes);
            queue.complete(chain, chain.write(0, bytes, 0, MOST));
        }
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return 0;
    }

    @Override
    public int[] queueSizes() {
        return new int[] {16};
    }

    @Override
    public int configSize() {
        return 0;
    }

    @Override
    public long readConfig(int offset, int size) {
        return 0;
    }

    @Override
    public void connect(VirtioSignals signals) {}

    @Override
    public void activate(DriverSetup newSetup) {
        setup = newSetup;
        worker.start();
    }

    @Override
    public void notified(int queue) {
        worker.signal(queue);
    }

    @Override
    public void reset() {
        worker.stop();
    }

    @Override
    public DeviceState save() {
        worker.finish();
        return new EmptyState();
    }

    @Override
    public void restore(DeviceState state) {}

    @Override
    public void close() {
        worker.close();
    }
}
