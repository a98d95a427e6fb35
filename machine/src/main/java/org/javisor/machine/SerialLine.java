package org.javisor.machine;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.chipset.Serial16550;
import org.javisor.chipset.SerialBackend;

/**
 * The host's end of a serial port. What the guest sends goes to the sink of the machine's
 * configuration; what the host sends waits here, at most {@value #CAPACITY} bytes, until the guest
 * takes it. Thread-safe.
 */
public final class SerialLine {
    private static final int CAPACITY = 1 << 16;

    /** Sees each byte on the processor's thread, before the sink. */
    @FunctionalInterface
    interface Observer {
        void transmitted(byte value);
    }

    private final OutputPump output;
    private final Observer observer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition taken = lock.newCondition();

    /** A ring. */
    private final byte[] waiting = new byte[CAPACITY];

    private int first;
    private int count;
    private boolean closed;
    private Serial16550 chip;

    SerialLine(String name, ByteSink sink, Observer observer) {
        this.output = new OutputPump(name, sink);
        this.observer = observer;
    }

    /** What the chip is connected to. */
    SerialBackend backend() {
        return new SerialBackend() {
            @Override
            public void transmitted(int value) {
                observer.transmitted((byte) value);
                output.write((byte) value);
            }

            @Override
            public void readyToReceive() {
                lock.lock();
                try {
                    pass();
                } finally {
                    lock.unlock();
                }
            }
        };
    }

    /** Must precede the first byte in either direction. */
    void connect(Serial16550 uart) {
        chip = uart;
    }

    /**
     * Sends bytes to the guest, as many as find room; does not wait.
     *
     * @return how many were taken
     */
    public int offer(byte[] data, int offset, int length) {
        lock.lock();
        try {
            int accepted = closed ? 0 : Math.min(length, CAPACITY - count);
            for (int i = 0; i < accepted; i++) {
                waiting[(first + count) % CAPACITY] = data[offset + i];
                count++;
            }
            pass();
            return accepted;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends bytes to the guest, waiting for room as long as it takes; what is left when the machine
     * ends is lost.
     */
    public void send(byte[] data) throws InterruptedException {
        int sent = 0;
        lock.lockInterruptibly();
        try {
            while (!closed) {
                sent += offer(data, sent, data.length - sent);
                if (sent == data.length) {
                    return;
                }
                taken.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Gives the chip what it has room for. With the lock held. */
    private void pass() {
        while (count > 0) {
            int accepted = chip.receive(waiting, first, Math.min(count, CAPACITY - first));
            if (accepted == 0) {
                return;
            }
            first = (first + accepted) % CAPACITY;
            count -= accepted;
            taken.signalAll();
        }
    }

    void waitForRoom(boolean wait) {
        output.letFlow(wait);
    }

    void finishWithin(Duration limit) {
        output.finishWithin(limit);
    }

    /**
     * Waits until the sink has taken all output, or {@link #finishWithin} says that it has had time
     * enough.
     */
    void drain() {
        output.drain();
    }

    /** No more input; senders that wait give up. */
    void hangUp() {
        lock.lock();
        try {
            closed = true;
            taken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        hangUp();
        output.close();
    }
}
