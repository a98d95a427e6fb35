package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A card that keeps copies of what it gets. */
final class FakeCard implements LinkEnd {
    final LinkedBlockingQueue<Received> received = new LinkedBlockingQueue<>();
    volatile int offloads;
    volatile boolean full;
    volatile int flushes;
    volatile int roomCalls;

    /** A frame's bytes and what was left to do. */
    record Received(byte[] bytes, boolean needsChecksum, int gsoType, int gsoSize) {
        ByteBuffer buffer() {
            return ByteBuffer.wrap(bytes);
        }

        int type() {
            return buffer().getShort(12) & 0xffff;
        }

        int protocol() {
            return bytes[23] & 0xff;
        }
    }

    FakeCard(int offloads) {
        this.offloads = offloads;
    }

    @Override
    public boolean deliver(Frame frame) {
        if (full) {
            return false;
        }
        ByteBuffer copy = ByteBuffer.allocate(frame.length());
        frame.copyTo(copy);
        received.add(
                new Received(
                        copy.array(), frame.needsChecksum(), frame.gsoType(), frame.gsoSize()));
        return true;
    }

    /** The next frame, awaited for long enough that only a defect makes it fail. */
    Received next() {
        try {
            return Optional.ofNullable(received.poll(20, TimeUnit.SECONDS))
                    .orElseThrow(() -> new AssertionError("No frame came"));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void flush() {
        flushes++;
    }

    @Override
    public void roomAgain() {
        roomCalls++;
    }

    @Override
    public int offloads() {
        return offloads;
    }
}
