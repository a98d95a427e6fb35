package org.javisor.virtio.p9;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.share.P9Session;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/**
 * The threads that answer a folder's requests, made as they are needed. Each takes a request from
 * the queue, answers it, and puts the answer back, while others may be at the next ones.
 *
 * <p>A flush is answered after the request that it names, as the protocol demands: the one was
 * taken from the queue before the other, so that it is under way or done, and nobody waits for what
 * has not begun.
 */
final class RequestThreads {
    private static final int MAXIMUM = 4;

    private static final int HEADER = 7;
    private static final int TYPE = 4;
    private static final int TAG = 5;
    private static final int FLUSH = 108;
    private static final int FLUSHED_TAG = 7;

    private final String name;
    private final P9Session session;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition progress = lock.newCondition();

    private final List<Thread> threads = new ArrayList<>();
    private final Map<Integer, Job> underWay = new HashMap<>();
    private Optional<Virtqueue> queue = Optional.empty();
    private boolean notified;
    private boolean stopping;
    private boolean closed;
    private int sleeping;
    private int busy;

    RequestThreads(String name, P9Session session) {
        this.name = name;
        this.session = session;
    }

    /** One thread's request, and what it needs to answer it. */
    private static final class Job {
        final P9Session.Worker worker = new P9Session.Worker();
        final DescriptorChain chain = new DescriptorChain();
        byte[] message = new byte[512];
        int length;

        /** How many requests have been answered with this; the thread goes on with the next. */
        long answered;

        int number(int offset, int size) {
            int value = 0;
            for (int i = 0; i < size && offset + i < length; i++) {
                value |= (message[offset + i] & 0xff) << 8 * i;
            }
            return value;
        }

        void readMessage() {
            length = (int) Math.min(chain.readableLength(), P9Session.MAXIMUM_MESSAGE);
            if (message.length < length) {
                message = new byte[length];
            }
            length = chain.read(0, message, 0, length);
        }
    }

    void start(Virtqueue from) {
        lock.lock();
        try {
            queue = Optional.of(from);
        } finally {
            lock.unlock();
        }
    }

    void notified() {
        lock.lock();
        try {
            notified = true;
            wakeOne();
        } finally {
            lock.unlock();
        }
    }

    private void wakeOne() {
        if (sleeping > 0) {
            work.signal();
        } else if (threads.size() < MAXIMUM && !closed) {
            Thread thread =
                    Thread.ofPlatform()
                            .name(name + "-" + threads.size())
                            .daemon()
                            .unstarted(() -> run(new Job()));
            threads.add(thread);
            thread.start();
        }
    }

    private void run(Job job) {
        lock.lock();
        try {
            while (!closed) {
                if (!take(job)) {
                    sleeping++;
                    work.awaitUninterruptibly();
                    sleeping--;
                    continue;
                }
                Virtqueue from = queue.orElseThrow();
                carryOut(job, from);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean take(Job job) {
        if (stopping || !notified || queue.isEmpty()) {
            return false;
        }
        if (!queue.get().next(job.chain)) {
            notified = false;
            progress.signalAll();
            return false;
        }
        return true;
    }

    /** With the lock, which is given up while the request is answered. */
    private void carryOut(Job job, Virtqueue from) {
        job.readMessage();
        busy++;
        Optional<Job> flushed = flushed(job);
        underWay.put(job.number(TAG, 2), job);
        if (from.hasNext()) {
            wakeOne();
        }
        flushed.ifPresent(this::awaitDone);
        lock.unlock();
        try {
            int length = session.answer(job.worker, job.message, job.length);
            // What has no room would be taken for something else if cut off.
            boolean fits = length <= job.chain.writableLength();
            int written = fits ? job.chain.write(0, job.worker.reply(), 0, length) : 0;
            from.complete(job.chain, written);
        } finally {
            lock.lock();
            busy--;
            job.answered++;
            underWay.remove(job.number(TAG, 2), job);
            progress.signalAll();
        }
    }

    private Optional<Job> flushed(Job job) {
        boolean flush = job.length >= HEADER && job.number(TYPE, 1) == FLUSH;
        return flush
                ? Optional.ofNullable(underWay.get(job.number(FLUSHED_TAG, 2)))
                : Optional.empty();
    }

    /**
     * Waits for the request that another thread is at, and not for the next one, which may be a
     * flush that waits for this.
     */
    private void awaitDone(Job other) {
        long before = other.answered;
        while (other.answered == before && !stopping) {
            progress.awaitUninterruptibly();
        }
    }

    /** Answers everything that is in the queue, and waits. */
    void finish() {
        lock.lock();
        try {
            while (busy > 0 || notified && queue.isPresent()) {
                if (busy == 0) {
                    wakeOne();
                }
                progress.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for what is under way and takes no more. */
    void stop() {
        lock.lock();
        try {
            stopping = true;
            progress.signalAll();
            while (busy > 0) {
                progress.awaitUninterruptibly();
            }
            queue = Optional.empty();
            underWay.clear();
            notified = false;
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
