package org.javisor.virtio.balloon;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.javisor.device.DeviceState;
import org.javisor.memory.GuestMemory;
import org.javisor.virtio.ConfigImage;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.QueueWorker;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;
import org.javisor.virtio.Virtqueue;

/** A memory balloon. */
public final class VirtioBalloon implements VirtioDevice {
    private static final int DEVICE_ID = 5;
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private static final int STATS_VQ = 1;
    private static final int DEFLATE_ON_OOM = 2;
    private static final int PAGE_REPORTING = 5;

    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;
    private static final int STATISTICS = 2;

    /**
     * Free page reports come on queue 4, says the specification; drivers before it was clear use 3,
     * which is otherwise for hints.
     */
    private static final int REPORTS_OF_OLD_DRIVERS = 3;

    private static final int REPORTS = 4;
    private static final int QUEUES = 5;

    /** Asks the driver for statistics. */
    private static final int ASK = QUEUES;

    private static final int CONFIG_SIZE = 16;
    private static final int TARGET_AT = 0;
    private static final int ACTUAL_AT = 4;

    /** Of one request; Linux sends 256, and no guest shall keep the host busy with one. */
    private static final long MOST_PAGES = 1 << 16;

    /** Bytes of a statistic: tag and value. */
    private static final int STATISTIC = 10;

    /** What a driver tells of its memory (5.5.6.4): bytes or counts, in the order of their tags. */
    public enum Statistic {
        SWAP_IN,
        SWAP_OUT,
        MAJOR_FAULTS,
        MINOR_FAULTS,
        FREE,
        TOTAL,
        AVAILABLE,
        DISK_CACHES,
        HUGE_PAGE_ALLOCATIONS,
        HUGE_PAGE_FAILURES
    }

    private final QueueWorker worker;
    private final AtomicLong givenBack = new AtomicLong();
    private volatile VirtioSignals signals = VirtioSignals.UNCONNECTED;
    private volatile DriverSetup setup;
    private volatile int targetPages;
    private volatile int actualPages;
    private volatile Map<Statistic, Long> statistics = Map.of();

    // The worker's.
    private final DescriptorChain chain = new DescriptorChain();
    private final DescriptorChain statisticsBuffer = new DescriptorChain();
    private boolean holdsStatistics;

    /**
     * @param name of its thread
     */
    public VirtioBalloon(String name) {
        worker = new QueueWorker(name, this::work);
    }

    // What the host does

    /**
     * Asks the guest to give up so much of its memory, which takes a while, and which a guest short
     * of memory does not do.
     *
     * @param bytes rounded down to pages of 4 KiB
     */
    public void setTarget(long bytes) {
        targetPages = (int) Math.clamp(bytes / PAGE, 0, Integer.MAX_VALUE);
        signals.configurationChanged();
    }

    /** Bytes that the guest has given up at present, as it says. */
    public long actual() {
        return (actualPages & 0xffffffffL) * PAGE;
    }

    /** Bytes that went back to the host since the start, some of them several times. */
    public long givenBack() {
        return givenBack.get();
    }

    /** Asks the driver for new {@link #statistics}, which come when it answers. */
    public void askForStatistics() {
        worker.signal(ASK);
    }

    /** What the driver told last; nothing before it did. */
    public Map<Statistic, Long> statistics() {
        return statistics;
    }

    // What the guest does

    private void work(int number) {
        DriverSetup current = setup;
        switch (number) {
            case INFLATE -> drain(current.queue(INFLATE), this::inflate);
            case DEFLATE -> drain(current.queue(DEFLATE), () -> {});
            case STATISTICS -> takeStatistics(current.queue(STATISTICS));
            case REPORTS_OF_OLD_DRIVERS, REPORTS -> drain(current.queue(number), this::takeReport);
            default -> {
                if (!holdsStatistics) {
                    // A snapshot put it back.
                    takeStatistics(current.queue(STATISTICS));
                }
                if (holdsStatistics) {
                    holdsStatistics = false;
                    current.queue(STATISTICS).complete(statisticsBuffer, 0);
                }
            }
        }
    }

    private void drain(Virtqueue queue, Runnable each) {
        while (queue.next(chain)) {
            each.run();
            queue.addUsed(chain, 0);
        }
        queue.flushUsed();
    }

    /** A list of page numbers; neighbours go back together. */
    private void inflate() {
        long start = 0;
        long length = 0;
        long end = Math.min(chain.readableLength(), 4 * MOST_PAGES);
        for (long at = 0; at + 4 <= end; at += 4) {
            long address = chain.readNumber(at, 4) * PAGE;
            if (address == start + length) {
                length += PAGE;
            } else if (address == start - PAGE) {
                start = address;
                length += PAGE;
            } else {
                giveBack(start, length);
                start = address;
                length = PAGE;
            }
        }
        giveBack(start, length);
    }

    /** Each buffer is memory that was freed. */
    private void takeReport() {
        for (int i = 0; i < chain.bufferCount(); i++) {
            giveBack(chain.address(i), chain.length(i));
        }
    }

    private void giveBack(long address, long length) {
        givenBack.addAndGet(setup.memory().discard(address, length));
    }

    private void takeStatistics(Virtqueue queue) {
        while (queue.next(chain)) {
            Map<Statistic, Long> read = new EnumMap<>(Statistic.class);
            Statistic[] known = Statistic.values();
            for (int i = 0; i < 2 * known.length; i++) {
                long at = (long) STATISTIC * i;
                int tag = (int) chain.readNumber(at, 2);
                if (at + STATISTIC <= chain.readableLength() && tag < known.length) {
                    read.put(known[tag], chain.readNumber(at + 2, 8));
                }
            }
            statistics = Map.copyOf(read);
            if (holdsStatistics) {
                queue.complete(chain, 0);
            } else {
                // Kept; giving it back is how the driver is asked for the next ones (5.5.6.3).
                queue.putBack(chain);
                holdsStatistics = queue.next(statisticsBuffer);
            }
        }
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return 1L << STATS_VQ | 1L << DEFLATE_ON_OOM | 1L << PAGE_REPORTING;
    }

    @Override
    public int[] queueSizes() {
        return new int[] {128, 128, 8, 32, 32};
    }

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public long readConfig(int offset, int size) {
        return new ConfigImage(CONFIG_SIZE)
                .put(TARGET_AT, 4, targetPages)
                .put(ACTUAL_AT, 4, actualPages)
                .get(offset, size);
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        if (offset == ACTUAL_AT && size == 4) {
            actualPages = (int) value;
        }
    }

    @Override
    public void connect(VirtioSignals to) {
        signals = to;
    }

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
        holdsStatistics = false;
        statistics = Map.of();
        actualPages = 0;
    }

    /**
     * @param targetPages of 4 KiB, that the host wants
     * @param actualPages that the guest says it gave
     */
    public record State(int targetPages, int actualPages) implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    /** The buffer for statistics goes back to its queue, where the device finds it again. */
    @Override
    public DeviceState save() {
        worker.finish();
        if (holdsStatistics) {
            holdsStatistics = false;
            setup.queue(STATISTICS).putBack(statisticsBuffer);
        }
        return new State(targetPages, actualPages);
    }

    @Override
    public void restore(DeviceState state) {
        State saved = (State) state;
        targetPages = saved.targetPages();
        actualPages = saved.actualPages();
    }

    @Override
    public void close() {
        worker.close();
    }
}
