package org.javisor.virtio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.javisor.memory.GuestMemory;

/**
 * A driver that obeys the rules, on the memory-mapped transport: for tests of devices.
 *
 * <pre>
 * try (FakeDriver driver = new FakeDriver(device, FakeDriver.ALL)) {
 *     driver.start();
 *     FakeQueue queue = driver.queue(0);
 *     queue.add(List.of(request), 16);
 *     queue.kick();
 *     FakeQueue.Used used = queue.await();
 * }
 * </pre>
 */
public final class FakeDriver implements AutoCloseable {
    /** Every feature that the device offers, the packed layout excepted. */
    public static final long ALL = ~(1L << VirtioFeatures.RING_PACKED);

    /** The packed layout too. */
    public static final long ALL_PACKED = -1;

    private static final long BUFFERS = 8L << 20;
    private static final long MEMORY = 32L << 20;

    public final GuestMemory memory = GuestMemory.allocate(MEMORY);
    public final VirtioMmio transport;

    private final VirtioDevice device;
    private final long wanted;
    private final AtomicInteger interrupts = new AtomicInteger();
    private final List<FakeQueue> queues = new ArrayList<>();
    private long free = 0x10000;
    private long nextBuffer = BUFFERS;
    private volatile boolean line;
    private long features;

    /**
     * @param wanted the features to take of those offered
     */
    public FakeDriver(VirtioDevice device, long wanted) {
        this.device = device;
        this.wanted = wanted;
        transport = new VirtioMmio(device, memory, this::drive, true);
    }

    private void drive(boolean asserted) {
        if (asserted && !line) {
            interrupts.incrementAndGet();
        }
        line = asserted;
    }

    // Registers

    public int register(int offset) {
        return (int) transport.readMmio(offset, 4);
    }

    public void setRegister(int offset, int value) {
        transport.writeMmio(offset, 4, value);
    }

    public long config(int offset, int size) {
        return transport.readMmio(0x100 + offset, size);
    }

    public int status() {
        return register(0x70);
    }

    /** Interrupts since the start; the line rises again only after {@link #acknowledge}. */
    public int interrupts() {
        return interrupts.get();
    }

    /** Reads and clears the interrupt status. */
    public int acknowledge() {
        int causes = register(0x60);
        setRegister(0x64, causes);
        return causes;
    }

    public boolean needsReset() {
        return (status() & CommonConfiguration.NEEDS_RESET) != 0;
    }

    // Set-up

    public long offered() {
        setRegister(0x14, 0);
        long low = register(0x10) & 0xffffffffL;
        setRegister(0x14, 1);
        return low | (long) register(0x10) << 32;
    }

    /** Resets, negotiates, sets up all queues, and says that the driver is ready. */
    public void start() {
        start(offered() & wanted);
    }

    /** The same with features of the caller's choice. */
    public void start(long chosen) {
        negotiate(chosen);
        int count = device.queueSizes().length;
        for (int i = 0; i < count; i++) {
            setUpQueue(i, device.queueSizes()[i]);
        }
        setRegister(0x70, 15);
    }

    /** Returns whether the device accepted the features. */
    public boolean negotiate(long chosen) {
        setRegister(0x70, 0);
        queues.clear();
        free = 0x10000;
        setRegister(0x70, 1);
        setRegister(0x70, 3);
        setRegister(0x24, 0);
        setRegister(0x20, (int) chosen);
        setRegister(0x24, 1);
        setRegister(0x20, (int) (chosen >>> 32));
        setRegister(0x70, 11);
        features = chosen;
        return (status() & CommonConfiguration.FEATURES_OK) != 0;
    }

    boolean has(int bit) {
        return (features >>> bit & 1) != 0;
    }

    public FakeQueue setUpQueue(int index, int size) {
        FakeQueue queue = new FakeQueue(this, index, size);
        setRegister(0x30, index);
        setRegister(0x38, size);
        setAddress(0x80, queue.descriptors());
        setAddress(0x90, queue.driverArea());
        setAddress(0xa0, queue.deviceArea());
        setRegister(0x44, 1);
        queues.add(queue);
        return queue;
    }

    private void setAddress(int register, long address) {
        setRegister(register, (int) address);
        setRegister(register + 4, (int) (address >>> 32));
    }

    public FakeQueue queue(int index) {
        return queues.get(index);
    }

    /** Zeroed guest memory. */
    public long allocate(long bytes, int alignment) {
        long at = (free + alignment - 1) & -alignment;
        free = at + bytes;
        if (free > BUFFERS) {
            throw new IllegalStateException("The fake driver's memory for rings is used up");
        }
        memory.write(at, new byte[(int) bytes], 0, (int) bytes);
        return at;
    }

    /** Zeroed guest memory that is used again after some megabytes more. */
    long allocateBuffer(int bytes, int alignment) {
        long at = (nextBuffer + alignment - 1) & -alignment;
        if (at + bytes > MEMORY) {
            at = BUFFERS;
        }
        nextBuffer = at + bytes;
        memory.write(at, new byte[bytes], 0, bytes);
        return at;
    }

    /** Waits for something that a device does on a thread of its own. */
    public static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("It did not happen within 20 s");
            }
            LockSupport.parkNanos(20_000);
        }
    }

    @Override
    public void close() {
        device.close();
        memory.close();
    }
}
