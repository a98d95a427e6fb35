package org.javisor.virtio;

import java.util.ArrayList;
import java.util.List;
import org.javisor.device.DeviceState;

/** A device that copies each request's readable part into its writable part; for tests. */
final class EchoDevice implements VirtioDevice {
    record State(int marker) implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    private static final int[] SIZES = {256, 8};

    int marker;
    int resets;
    boolean manual;
    VirtioSignals signals = VirtioSignals.UNCONNECTED;
    DriverSetup setup;
    final List<DescriptorChain> held = new ArrayList<>();

    @Override
    public int deviceId() {
        return 42;
    }

    @Override
    public long features() {
        return 1 | 1L << 55;
    }

    @Override
    public boolean accepts(long chosen) {
        return (chosen & 1L << 55) == 0 || (chosen & 1) != 0;
    }

    @Override
    public int[] queueSizes() {
        return SIZES.clone();
    }

    @Override
    public int configSize() {
        return 8;
    }

    @Override
    public long readConfig(int offset, int size) {
        return 0x8877665544332211L >>> (8 * offset) & (size == 8 ? -1 : (1L << 8 * size) - 1);
    }

    @Override
    public void connect(VirtioSignals to) {
        signals = to;
    }

    @Override
    public void activate(DriverSetup newSetup) {
        setup = newSetup;
    }

    @Override
    public synchronized void notified(int index) {
        DriverSetup current = setup;
        if (current == null || manual) {
            return;
        }
        Virtqueue queue = current.queue(index);
        DescriptorChain chain = new DescriptorChain();
        while (queue.next(chain)) {
            queue.addUsed(chain, echo(chain));
        }
        queue.flushUsed();
    }

    static int echo(DescriptorChain chain) {
        byte[] buffer = new byte[(int) Math.min(chain.readableLength(), 1 << 16)];
        int length = chain.read(0, buffer, 0, buffer.length);
        return chain.write(0, buffer, 0, length);
    }

    @Override
    public void reset() {
        resets++;
        setup = null;
    }

    @Override
    public DeviceState save() {
        return new State(marker);
    }

    @Override
    public void restore(DeviceState state) {
        marker = ((State) state).marker();
    }

    @Override
    public void close() {}
}
