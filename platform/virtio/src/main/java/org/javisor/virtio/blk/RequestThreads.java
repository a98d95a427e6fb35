package org.javisor.virtio.blk;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.javisor.device.Clock;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.Virtqueue;

/**
 * The threads that carry out a disk's requests, made as they are needed, up to {@link #MAXIMUM}.
 *
 * <p>A thread first empties the queues that the driver has notified of, which asks for the next
 * notification, so that whatever the request at hand takes, later ones find another thread. Further
 * threads join for the requests that wait already only while requests have been slow: those that
 * the host's page cache answers are done sooner than a thread wakes up.
 */
final class RequestThreads {
    private static final int MAXIMUM = 16;

    /** What a request may take before it is worth waking a thread for the next one. */
    private static final long SLOW_NANOS = 100_000;

    /** How long completed requests may wait for others to interrupt the driver together with. */
    private static final long GATHER_NANOS = 50_000;

    private final String name;
    private final VirtioBlk device;
    private final Clock clock;
    private final Clock.Alarm alarm;
    private final Throttle bytes;
    private final Throttle operations;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition idle = lock.newCondition();
    private final Condition held = lock.newCondition();

    private final List<Thread> threads = new ArrayList<>();
    private final BitSet notified = new BitSet();
    private final Deque<BlkRequest> waiting = new ArrayDeque<>();
    private final Deque<BlkRequest> spare = new ArrayDeque<>();
    private List<Virtqueue> queues = List.of();
    private int sleeping;
    private int wakeUps;
    private int busy;
    private long averageNanos;
    private boolean throttled;
    private boolean unlimited;
    private volatile boolean stopping;
    private int stops;
    private boolean closed;

    RequestThreads(String name, VirtioBlk device, BlkConfig config, Clock clock) {
        this.name = name;
        this.device = device;
        this.clock = clock;
        bytes = new Throttle(config.bytesPerSecond(), clock.nanos());
        operations = new Throttle(config.operationsPerSecond(), clock.nanos());
        alarm = clock.newAlarm(this::throttleEnds);
    }

    /** Whether what is under way shall end as soon as it can. */
    boolean stopping() {
        return stopping;
    }

    /**
     * Waits in the middle of a request for something that {@link #lookAgain} follows; returns false
     * when the request shall end as soon as it can.
     */
    boolean hold(BooleanSupplier over) {
        lock.lock();
        try {
            int before = stops;
            while (stops == before && !stopping && !over.getAsBoolean()) {
                held.awaitUninterruptibly();
            }
            return stops == before && !stopping;
        } finally {
            lock.unlock();
        }
    }

    void lookAgain() {
        lock.lock();
        try {
            held.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void start(DriverSetup setup) {
        lock.lock();
        try {
            queues = setup.queues();
        } finally {
            lock.unlock();
        }
    }

    void notified(int queue) {
        lock.lock();
        try {
            if (queue < queues.size()) {
                notified.set(queue);
                wakeOne();
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeOne() {
        if (sleeping > wakeUps) {
            wakeUps++;
            work.signal();
        } else if (wakeUps == 0 && threads.size() < MAXIMUM && !closed) {
            Thread thread =
                    Thread.ofPlatform()
                            .name(name + "-" + threads.size())
                            .daemon()
                            .unstarted(this::run);
            threads.add(thread);
            thread.start();
        }
    }

    private void throttleEnds() {
        lock.lock();
        try {
            throttled = false;
            wakeOne();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        Completions completions = new Completions();
        lock.lock();
        try {
            while (!closed) {
                BlkRequest request = take();
                if (request == null) {
                    completions.tell();
                    sleep();
                    continue;
                }
                busy++;
                boolean more = !waiting.isEmpty();
                boolean gather = more && averageNanos <= SLOW_NANOS && !unlimited;
                if (more && !gather) {
                    wakeOne();
                }
                lock.unlock();
                long nanos;
                try {
                    nanos = completions.carryOut(request, gather);
                } finally {
                    lock.lock();
                    busy--;
                }
                averageNanos += nanos - averageNanos >> 3;
                spare.push(request);
                if (busy == 0) {
                    idle.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void sleep() {
        sleeping++;
        if (wakeUps == 0) {
            work.awaitUninterruptibly();
        }
        sleeping--;
        wakeUps = Math.max(0, wakeUps - 1);
    }

    /** The next request that may be carried out now, or null. */
    private BlkRequest take() {
        if (stopping || throttled) {
            return null;
        }
        for (int i = notified.nextSetBit(0); i >= 0; i = notified.nextSetBit(i + 1)) {
            notified.clear(i);
            drain(queues.get(i));
        }
        BlkRequest request = waiting.peek();
        if (request == null) {
            return null;
        }
        if (!unlimited) {
            long now = clock.nanos();
            long wait = Math.max(bytes.delay(now), operations.delay(now));
            if (wait > 0) {
                throttled = true;
                alarm.arm(now + wait);
                return null;
            }
            bytes.take(request.dataLength());
            operations.take(1);
        }
        return waiting.poll();
    }

    private void drain(Virtqueue queue) {
        while (true) {
            BlkRequest request = spare.isEmpty() ? new BlkRequest() : spare.pop();
            if (!queue.next(request.chain)) {
                spare.push(request);
                return;
            }
            if (!request.begin(queue)) {
                spare.push(request);
                device.malformed();
                return;
            }
            waiting.add(request);
        }
    }

    /** One thread's completed requests that the driver has not been told of yet. */
    private final class Completions {
        private Virtqueue queue;
        private long since;

        /**
         * @param gather whether others follow soon, for the driver to be told of together
         * @return how long it took
         */
        long carryOut(BlkRequest request, boolean gather) {
            if (queue != request.queue() || request.type() == BlkRequest.FLUSH) {
                tell();
            }
            long start = System.nanoTime();
            int written = request.carryOut(device);
            long end = System.nanoTime();
            request.queue().addUsed(request.chain, written);
            if (queue == null) {
                queue = request.queue();
                since = end;
            }
            if (!gather || stopping || end - since > GATHER_NANOS) {
                tell();
            }
            return end - start;
        }

        void tell() {
            if (queue != null) {
                queue.flushUsed();
                queue = null;
            }
        }
    }

    /**
     * Carries out everything that was taken from the queues, whatever the limits say, and waits.
     */
    void finish() {
        lock.lock();
        try {
            unlimited = true;
            throttled = false;
            while (busy > 0 || !waiting.isEmpty()) {
                if (!waiting.isEmpty()) {
                    wakeOne();
                }
                idle.awaitUninterruptibly();
            }
            unlimited = false;
        } finally {
            lock.unlock();
        }
    }

    /** Forgets what has not begun, and waits for what has. */
    void stop() {
        lock.lock();
        try {
            stopping = true;
            stops++;
            held.signalAll();
            spare.addAll(waiting);
            waiting.clear();
            notified.clear();
            alarm.disarm();
            throttled = false;
            while (busy > 0) {
                idle.awaitUninterruptibly();
            }
            // What was notified of meanwhile is as void as the queues.
            notified.clear();
            queues = List.of();
            stopping = false;
        } finally {
            lock.unlock();
        }
    }

    /** Stops, and ends the threads. */
    void close() {
        stop();
        lock.lock();
        try {
            closed = true;
            work.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
