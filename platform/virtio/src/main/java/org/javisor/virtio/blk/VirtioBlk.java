package org.javisor.virtio.blk;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.javisor.device.Clock;
import org.javisor.device.DeviceState;
import org.javisor.storage.BlockBackend;
import org.javisor.virtio.ConfigImage;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;

/** A disk. Takes over the back end, and closes it. */
public final class VirtioBlk implements VirtioDevice {
    private static final int DEVICE_ID = 2;
    private static final int QUEUE_SIZE = 256;

    private static final int SEG_MAX = 2;
    private static final int RO = 5;
    private static final int BLK_SIZE = 6;
    private static final int FLUSH = 9;
    private static final int CONFIG_WCE = 11;
    private static final int MQ = 12;
    private static final int DISCARD = 13;
    private static final int WRITE_ZEROES = 14;

    /** Offsets in the configuration space (5.2.4). */
    private static final int CAPACITY_AT = 0;

    private static final int SEG_MAX_AT = 12;
    private static final int BLK_SIZE_AT = 20;
    private static final int WRITEBACK_AT = 32;
    private static final int NUM_QUEUES_AT = 34;
    private static final int DISCARD_AT = 36;
    private static final int WRITE_ZEROES_AT = 48;
    private static final int CONFIG_SIZE = 60;

    /** What one range may cover, in sectors, and how many of them a request may have. */
    static final int DISCARD_SECTORS = 1 << 22;

    static final int ZERO_SECTORS = 1 << 18;
    static final int DISCARD_RANGES = 64;
    static final int ZERO_RANGES = 16;

    private final BlockBackend backend;
    private final BlkConfig config;
    private final byte[] serial;
    private final Consumer<RuntimeException> complaints;
    private final RequestThreads threads;
    private final AtomicBoolean complained = new AtomicBoolean();
    private volatile VirtioSignals signals = VirtioSignals.UNCONNECTED;
    private volatile boolean cacheOn = true;
    private volatile boolean driverFlushes;

    /**
     * @param name of its threads
     * @param clock for the limits
     * @param complaints hears of the first request of each activation that the host's storage
     *     fails; on an I/O thread
     */
    public VirtioBlk(
            String name,
            BlockBackend backend,
            BlkConfig config,
            Clock clock,
            Consumer<RuntimeException> complaints) {
        this.backend = backend;
        this.config = config;
        this.complaints = complaints;
        serial =
                Arrays.copyOf(
                        config.serial().getBytes(StandardCharsets.US_ASCII), BlkRequest.ID_BYTES);
        threads = new RequestThreads(name, this, config, clock);
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        long features = 1L << SEG_MAX | 1L << BLK_SIZE | 1L << FLUSH | 1L << CONFIG_WCE | 1L << MQ;
        return backend.readOnly()
                ? features | 1L << RO
                : features | 1L << DISCARD | 1L << WRITE_ZEROES;
    }

    @Override
    public int[] queueSizes() {
        int[] sizes = new int[config.queues()];
        Arrays.fill(sizes, QUEUE_SIZE);
        return sizes;
    }

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public long readConfig(int offset, int size) {
        return new ConfigImage(CONFIG_SIZE)
                .put(CAPACITY_AT, 8, backend.size() / BlkRequest.SECTOR)
                .put(SEG_MAX_AT, 4, QUEUE_SIZE - 2)
                .put(BLK_SIZE_AT, 4, backend.logicalBlockSize())
                .put(WRITEBACK_AT, 1, cacheOn ? 1 : 0)
                .put(NUM_QUEUES_AT, 2, config.queues())
                .put(DISCARD_AT, 4, DISCARD_SECTORS)
                .put(DISCARD_AT + 4, 4, DISCARD_RANGES)
                .put(DISCARD_AT + 8, 4, backend.discardGranularity() / BlkRequest.SECTOR)
                .put(WRITE_ZEROES_AT, 4, ZERO_SECTORS)
                .put(WRITE_ZEROES_AT + 4, 4, ZERO_RANGES)
                .put(WRITE_ZEROES_AT + 8, 1, 1)
                .get(offset, size);
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        if (offset == WRITEBACK_AT && size == 1) {
            cacheOn = (value & 1) != 0;
        }
    }

    @Override
    public void connect(VirtioSignals to) {
        signals = to;
    }

    @Override
    public void activate(DriverSetup setup) {
        complained.set(false);
        driverFlushes = setup.has(FLUSH);
        threads.start(setup);
    }

    @Override
    public void notified(int queue) {
        threads.notified(queue);
    }

    @Override
    public void reset() {
        threads.stop();
        cacheOn = true;
    }

    /**
     * @param cacheOn whether the driver left the write cache on
     */
    public record State(boolean cacheOn) implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    @Override
    public DeviceState save() {
        threads.finish();
        return new State(cacheOn);
    }

    @Override
    public void restore(DeviceState state) {
        cacheOn = ((State) state).cacheOn();
    }

    /** Ends its threads and closes the back end. */
    @Override
    public void close() {
        threads.close();
        backend.close();
    }

    /**
     * Holds the calling I/O thread up, in the middle of a request.
     *
     * @param over whether it may go on; asked again after {@link #lookAgain}
     * @return false when the device is being reset or closed
     */
    public boolean hold(BooleanSupplier over) {
        return threads.hold(over);
    }

    /** What held requests wait for may have come. */
    public void lookAgain() {
        threads.lookAgain();
    }

    // For requests

    BlockBackend backend() {
        return backend;
    }

    byte[] serial() {
        return serial;
    }

    boolean stopping() {
        return threads.stopping();
    }

    /**
     * Whether a write may be complete before it is on the disk: a driver that does not know how to
     * flush, or has turned the cache off, relies on each write (5.2.6.2).
     */
    boolean writeBack() {
        return cacheOn && driverFlushes;
    }

    void failed(RuntimeException e) {
        if (complained.compareAndSet(false, true)) {
            complaints.accept(e);
        }
    }

    void malformed() {
        signals.broken("The driver made a request without header or status");
    }
}
