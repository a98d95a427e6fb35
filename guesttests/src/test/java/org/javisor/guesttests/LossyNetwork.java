package org.javisor.guesttests;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.network.Frame;
import org.javisor.network.LinkEnd;
import org.javisor.network.Network;
import org.javisor.network.UserNetwork;

/**
 * A network on a bad cable, which loses some frames and lets others be overtaken. The network does
 * its own segmentation, so that many are met.
 */
final class LossyNetwork implements Network {
    private final Network inner;
    private final long seed;
    private final double share;
    private final AtomicInteger lost = new AtomicInteger();
    private final AtomicInteger overtaken = new AtomicInteger();

    /**
     * @param share of the frames that are lost, and of those that are overtaken
     */
    LossyNetwork(Network inner, long seed, double share) {
        this.inner = inner;
        this.seed = seed;
        this.share = share;
    }

    int lost() {
        return lost.get();
    }

    int overtaken() {
        return overtaken.get();
    }

    private final class Cable implements LinkEnd {
        private final LinkEnd target;
        private final Random random;
        private final boolean offloads;
        private Optional<Frame> held = Optional.empty();

        Cable(LinkEnd target, long seed, boolean offloads) {
            this.target = target;
            this.random = new Random(seed);
            this.offloads = offloads;
        }

        @Override
        public boolean deliver(Frame frame) {
            Optional<Frame> overdue;
            synchronized (this) {
                double chance = random.nextDouble();
                if (chance < share) {
                    lost.incrementAndGet();
                    return true;
                }
                if (chance < 2 * share && held.isEmpty()) {
                    overtaken.incrementAndGet();
                    held = Optional.of(copy(frame));
                    return true;
                }
                overdue = held;
                held = Optional.empty();
            }
            boolean taken = target.deliver(frame);
            overdue.ifPresent(target::deliver);
            return taken;
        }

        private static Frame copy(Frame frame) {
            ByteBuffer bytes = ByteBuffer.allocate(frame.length());
            frame.copyTo(bytes);
            Frame copy = new Frame().reset(bytes.flip());
            if (frame.needsChecksum()) {
                copy.leaveChecksum(frame.checksumStart(), frame.checksumOffset());
            }
            return copy.leaveSegmentation(frame.gsoType(), frame.gsoSize());
        }

        @Override
        public void flush() {
            target.flush();
        }

        @Override
        public void roomAgain() {
            target.roomAgain();
        }

        @Override
        public int offloads() {
            return offloads ? target.offloads() : 0;
        }
    }

    @Override
    public LinkEnd connect(LinkEnd card) {
        return new Cable(inner.connect(new Cable(card, seed, false)), seed + 1, true);
    }

    @Override
    public Optional<UserNetwork> userMode() {
        return inner.userMode();
    }

    @Override
    public String description() {
        return inner.description() + " on a bad cable";
    }

    @Override
    public void close() {
        inner.close();
    }
}
