package org.javisor.network;

import static org.javisor.network.TcpHeader.before;

import java.util.concurrent.TimeUnit;

/**
 * The sending half of a connection, from the host to the guest: what has not been acknowledged,
 * when it is sent again, and how much may be under way (RFC 9293, 6298, 5681, 6582).
 *
 * <p>All numbers in bytes and nanoseconds.
 */
final class TcpSender {
    /** RFC 6298, 2.1 */
    private static final long FIRST_TIMEOUT = TimeUnit.SECONDS.toNanos(1);

    private static final long MINIMUM_TIMEOUT = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long MAXIMUM_TIMEOUT = TimeUnit.SECONDS.toNanos(30);

    /** Attempts that stay without an answer before the guest counts as gone. */
    private static final int MAXIMUM_ATTEMPTS = 12;

    /** How often the time between probes of a closed window doubles. */
    private static final int PROBE_BACKOFF = 5;

    /** RFC 6928 */
    private static final int FIRST_WINDOW = 10;

    private static final int DUPLICATES = 3;
    private static final int MAXIMUM_CONGESTION_WINDOW = 4 << 20;

    /** What a segment is sent with; the connection knows the rest. */
    interface Wire {
        /**
         * @return false if the link has no room now
         */
        boolean sendData(int sequence, int offset, int length, boolean fin);

        /** The most that one call takes. */
        int maximumData();
    }

    final ByteQueue queue;
    private final Wire wire;

    /** First sequence number not acknowledged; the queue's first byte, unless SYN or FIN. */
    private int unacknowledged;

    /** Next to be sent. */
    private int next;

    /** The highest ever sent, from which a time-out falls back. */
    private int highest;

    private int window;
    private int segment = 536;
    private int congestionWindow;
    private int threshold = Integer.MAX_VALUE;
    private int duplicates;
    private boolean recovering;
    private int recoveryPoint;

    private boolean finishing;
    private boolean finished;

    private long smoothed;
    private long variation;
    private long timeout = FIRST_TIMEOUT;
    private long deadline = Long.MAX_VALUE;
    private int attempts;
    private boolean timing;
    private int timedSequence;
    private long timedSince;
    private boolean refused;
    private boolean more;

    TcpSender(ByteQueue queue, Wire wire, int initialSequence) {
        this.queue = queue;
        this.wire = wire;
        unacknowledged = initialSequence;
        next = initialSequence;
        highest = initialSequence;
    }

    /** The SYN has gone out, perhaps once more. */
    void synSent(long now) {
        next = unacknowledged + 1;
        highest = next;
        attempts++;
        deadline = now + (timeout << Math.min(attempts - 1, 5));
    }

    /** The SYN has been acknowledged. */
    void established(int segment, int window) {
        this.segment = Math.max(1, segment);
        this.window = window;
        congestionWindow = FIRST_WINDOW * segment;
        unacknowledged = next;
        attempts = 0;
        deadline = Long.MAX_VALUE;
    }

    int unacknowledged() {
        return unacknowledged;
    }

    int next() {
        return next;
    }

    /** The highest sequence number that an acknowledgment may have. */
    int highest() {
        return highest;
    }

    /** When {@link #expired} wants to be called. */
    long deadline() {
        return deadline;
    }

    /** How often something has been sent without an answer. */
    int attempts() {
        return attempts;
    }

    int segment() {
        return segment;
    }

    /**
     * Whether the link refused something, so that {@link #send} is to be called when it has room.
     */
    boolean refused() {
        return refused;
    }

    /** Whether more is about to be queued, so that less than a segment had better wait for it. */
    void expectMore(boolean more) {
        this.more = more;
    }

    /** After what is queued comes the end. */
    void finish() {
        finishing = true;
    }

    /** Whether the end has been acknowledged. */
    boolean finished() {
        return finished;
    }

    boolean finishing() {
        return finishing;
    }

    /** Sends what windows and link allow. */
    void send(long now) {
        refused = false;
        while (true) {
            int flying = next - unacknowledged;
            int unsent = queue.size() - flying;
            if (unsent < 0 || finished) {
                return;
            }
            int usable = Math.min(window, congestionWindow) - flying;
            int length = Math.min(Math.min(unsent, usable), wire.maximumData());
            if (length < segment && (length < unsent || more) && flying > 0) {
                // Less than a segment: wait for the window to open, or for what comes next.
                return;
            }
            boolean fin = finishing && length == unsent && usable >= length;
            if (length <= 0 && !fin) {
                if (unsent > 0 && flying == 0) {
                    armProbe(now);
                }
                return;
            }
            length = Math.max(0, length);
            if (!wire.sendData(next, flying, length, fin)) {
                refused = true;
                return;
            }
            sent(now, length + (fin ? 1 : 0));
            if (fin) {
                return;
            }
        }
    }

    private void sent(long now, int length) {
        if (!timing && next == highest) {
            timing = true;
            timedSequence = next;
            timedSince = now;
        }
        next += length;
        if (before(highest, next)) {
            highest = next;
        }
        if (deadline == Long.MAX_VALUE) {
            arm(now);
        }
    }

    private void arm(long now) {
        deadline = now + Math.min(MAXIMUM_TIMEOUT, timeout << Math.min(attempts, 8));
    }

    private void armProbe(long now) {
        if (deadline == Long.MAX_VALUE) {
            arm(now);
        }
    }

    /**
     * Takes an acknowledgment that is not beyond {@link #highest}.
     *
     * @param newWindow scaled
     * @param pure whether the segment carries nothing else
     */
    void acknowledged(long now, int acknowledgment, int newWindow, boolean pure) {
        if (before(acknowledgment, unacknowledged)) {
            return;
        }
        boolean sameWindow = newWindow == window;
        window = newWindow;
        if (before(unacknowledged, acknowledgment)) {
            advance(now, acknowledgment);
        } else if (acknowledgment == unacknowledged) {
            if (newWindow > 0 && !sameWindow) {
                attempts = 0;
                if (next == unacknowledged) {
                    deadline = Long.MAX_VALUE;
                }
            }
            if (newWindow == 0) {
                // An answer to a probe: the guest is there, it only has no room.
                attempts = Math.min(attempts, PROBE_BACKOFF);
            } else if (pure && sameWindow && next != unacknowledged) {
                duplicate(now);
            }
        }
        send(now);
    }

    private void advance(long now, int acknowledgment) {
        int count = acknowledgment - unacknowledged;
        int data = Math.min(count, queue.size());
        if (count > data && finishing) {
            finished = true;
        }
        queue.discard(data);
        unacknowledged = acknowledgment;
        if (before(next, acknowledgment)) {
            next = acknowledgment;
        }
        attempts = 0;
        measure(now, acknowledgment);
        grow(now, count, acknowledgment);
        deadline = Long.MAX_VALUE;
        if (next != unacknowledged) {
            arm(now);
        }
    }

    private void measure(long now, int acknowledgment) {
        if (!timing || !before(timedSequence, acknowledgment)) {
            return;
        }
        timing = false;
        long sample = now - timedSince;
        if (smoothed == 0) {
            smoothed = sample;
            variation = sample / 2;
        } else {
            variation += (Math.abs(smoothed - sample) - variation) / 4;
            smoothed += (sample - smoothed) / 8;
        }
        timeout = Math.clamp(smoothed + 4 * variation, MINIMUM_TIMEOUT, MAXIMUM_TIMEOUT);
    }

    private void grow(long now, int count, int acknowledgment) {
        duplicates = 0;
        if (recovering) {
            if (before(acknowledgment, recoveryPoint)) {
                // A partial acknowledgment: the segment after it is lost too (RFC 6582, 3.2).
                congestionWindow = Math.max(segment, congestionWindow - count + segment);
                sendAgain(now);
            } else {
                recovering = false;
                congestionWindow = Math.max(threshold, 2 * segment);
            }
            return;
        }
        int growth =
                congestionWindow < threshold
                        ? count
                        : Math.max(1, (int) ((long) segment * count / congestionWindow));
        congestionWindow = Math.min(MAXIMUM_CONGESTION_WINDOW, congestionWindow + growth);
    }

    private void duplicate(long now) {
        duplicates++;
        if (recovering) {
            congestionWindow = Math.min(MAXIMUM_CONGESTION_WINDOW, congestionWindow + segment);
        } else if (duplicates == DUPLICATES) {
            threshold = Math.max((next - unacknowledged) / 2, 2 * segment);
            congestionWindow = threshold + DUPLICATES * segment;
            recovering = true;
            recoveryPoint = highest;
            sendAgain(now);
        }
    }

    /** The first segment that is not acknowledged, once more. */
    private void sendAgain(long now) {
        timing = false;
        int length = Math.min(segment, Math.min(queue.size(), next - unacknowledged));
        boolean fin = finishing && length == queue.size() && next - unacknowledged > length;
        if (length > 0 || fin) {
            wire.sendData(unacknowledged, 0, length, fin);
            arm(now);
        }
    }

    /**
     * The deadline has passed.
     *
     * @return false if the guest has not answered for so long that it counts as gone
     */
    boolean expired(long now) {
        if (++attempts > MAXIMUM_ATTEMPTS) {
            return false;
        }
        timing = false;
        recovering = false;
        duplicates = 0;
        if (next != unacknowledged) {
            threshold = Math.max((next - unacknowledged) / 2, 2 * segment);
        }
        congestionWindow = segment;
        next = unacknowledged;
        deadline = Long.MAX_VALUE;
        if (window == 0 && queue.size() > 0) {
            // RFC 9293, 3.8.6.1: one byte beyond the window, so that the guest tells of a new one.
            if (wire.sendData(next, 0, 1, false)) {
                next++;
                if (before(highest, next)) {
                    highest = next;
                }
            }
            next = unacknowledged;
        } else {
            send(now);
        }
        arm(now);
        return true;
    }
}
