package org.javisor.network;

import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** A network that carries so many bytes in a second and no more, in each direction. */
final class LimitedNetwork extends FilteredNetwork {
    private final long rate;
    private final LongSupplier clock;
    private final ScheduledExecutorService timer;

    /**
     * @param rate bytes in a second
     */
    LimitedNetwork(String name, Network inner, long rate) {
        this(
                inner,
                rate,
                System::nanoTime,
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name(name + "-net-limit").factory()));
    }

    LimitedNetwork(Network inner, long rate, LongSupplier clock, ScheduledExecutorService timer) {
        super(inner);
        this.rate = rate;
        this.clock = clock;
        this.timer = timer;
    }

    @Override
    Filter towardsCard() {
        return new Limit();
    }

    @Override
    Filter towardsNetwork() {
        return new Limit();
    }

    /**
     * Refuses frames while earlier ones are still being paid for; the refused side is woken then.
     */
    private final class Limit extends Filter {
        private static final long SECOND = 1_000_000_000L;

        /** Idle time that counts: a burst of a twentieth of a second goes through at once. */
        private static final long BURST = SECOND / 20;

        /** When all frames so far have been paid for. */
        private long paid = clock.getAsLong() - BURST;

        private boolean waiting;

        @Override
        public boolean deliver(Frame frame) {
            synchronized (this) {
                long now = clock.getAsLong();
                if (paid - now > 0) {
                    askLater(paid - now);
                    return false;
                }
                if (!target().deliver(frame)) {
                    return false;
                }
                paid = Math.max(paid, now - BURST) + (long) frame.length() * SECOND / rate;
                return true;
            }
        }

        private void askLater(long nanos) {
            if (!waiting) {
                waiting = true;
                try {
                    timer.schedule(this::again, nanos, TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException e) {
                    // Closed: nobody waits any more.
                    return;
                }
            }
        }

        private void again() {
            synchronized (this) {
                waiting = false;
            }
            source().roomAgain();
        }
    }

    @Override
    public String description() {
        return super.description() + ", at most " + rate + " bytes/s";
    }

    @Override
    public void close() {
        timer.shutdownNow();
        super.close();
    }
}
