package org.javisor.virtio.net;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.network.Frame;
import org.javisor.network.LinkEnd;
import org.javisor.network.Network;

/** A network that keeps what it gets. */
final class FakeNetwork implements Network, LinkEnd {
    final LinkedBlockingQueue<Sent> sent = new LinkedBlockingQueue<>();
    final AtomicInteger roomCalls = new AtomicInteger();
    volatile boolean full;
    volatile boolean closed;
    LinkEnd card;

    record Sent(byte[] bytes, boolean checksum, int start, int offset, int type, int size) {}

    @Override
    public LinkEnd connect(LinkEnd end) {
        card = end;
        return this;
    }

    @Override
    public boolean deliver(Frame frame) {
        if (full) {
            return false;
        }
        ByteBuffer copy = ByteBuffer.allocate(frame.length());
        frame.copyTo(copy);
        sent.add(
                new Sent(
                        copy.array(),
                        frame.needsChecksum(),
                        frame.checksumStart(),
                        frame.checksumOffset(),
                        frame.gsoType(),
                        frame.gsoSize()));
        return true;
    }

    Sent next() {
        try {
            return Optional.ofNullable(sent.poll(20, TimeUnit.SECONDS))
                    .orElseThrow(() -> new AssertionError("Nothing was sent"));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void flush() {}

    @Override
    public void roomAgain() {
        roomCalls.incrementAndGet();
    }

    @Override
    public int offloads() {
        return ALL_OFFLOADS;
    }

    @Override
    public String description() {
        return "fake";
    }

    @Override
    public void close() {
        closed = true;
    }
}
