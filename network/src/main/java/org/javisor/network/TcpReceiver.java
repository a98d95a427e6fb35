package org.javisor.network;

import static org.javisor.network.TcpHeader.before;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;

/**
 * The receiving half of a connection, from the guest to the host: puts segments in order, passes
 * them on, and says how much more there is room for.
 */
final class TcpReceiver {
    /** What the guest may have under way. Most of it goes to the host's socket at once. */
    static final int CAPACITY = 512 << 10;

    /** The scale with which {@link #CAPACITY} fits a header. */
    static final int SHIFT = 4;

    /** Pieces kept that came too early. */
    private static final int EARLY_PIECES = 64;

    private final ByteQueue queue;
    private final HostStream host;

    /** Next sequence number expected. */
    private int next;

    /** End of the window that the guest has been told; never taken back. */
    private int promised;

    private int shift;

    /**
     * What came too early, by distance from {@link #origin}; a piece is never longer than 64 KiB.
     */
    private final TreeMap<Integer, byte[]> early = new TreeMap<>();

    /** Sequence number that the keys of {@link #early} count from. */
    private int origin;

    private int earlyBytes;
    private boolean finKnown;
    private int finSequence;
    private boolean finished;
    private boolean shutDown;

    TcpReceiver(ByteQueue queue, HostStream host, int initialSequence, boolean scaled) {
        this.queue = queue;
        this.host = host;
        next = initialSequence + 1;
        promised = next;
        origin = next;
        shift = scaled ? SHIFT : 0;
    }

    int next() {
        return next;
    }

    /** Whether the guest's FIN has come, and all before it. */
    boolean finished() {
        return finished;
    }

    /** Whether the host has got everything, the end included. */
    boolean drained() {
        return shutDown;
    }

    boolean hasQueued() {
        return queue.size() > 0;
    }

    /** The window for a header; whoever takes it sends it. */
    int promise() {
        int most = 0xffff << shift;
        int end = next + Math.min(most, Math.max(0, CAPACITY - queue.size()));
        if (before(promised, end)) {
            promised = end;
        }
        return Math.min(0xffff, promised - next >>> shift);
    }

    /** The window for a SYN, which is never scaled. */
    int firstWindow() {
        promised = next + 0xffff;
        return 0xffff;
    }

    /** Whether so much room has appeared that the guest should hear of it. */
    boolean worthTelling() {
        int end = next + Math.min(0xffff << shift, CAPACITY - queue.size());
        return !finished && end - promised >= CAPACITY / 4;
    }

    /** Whether a segment lies in the window at least partly (RFC 9293, 3.10.7.4). */
    boolean acceptable(int sequence, int span) {
        int end = promised;
        if (span == 0) {
            return sequence == next || !before(sequence, next) && before(sequence, end);
        }
        return before(sequence, end) && before(next, sequence + span);
    }

    /**
     * Takes the data and the FIN of an acceptable segment.
     *
     * @return whether it was just what was expected; otherwise the guest wants an answer at once
     * @throws IOException if the host no longer takes data
     */
    boolean accept(TcpHeader segment) throws IOException {
        int sequence = segment.sequence;
        ByteBuffer data = segment.data;
        if (segment.has(TcpHeader.FIN) && !finKnown) {
            finKnown = true;
            finSequence = sequence + data.remaining();
        }
        int old = next - sequence;
        if (old > 0) {
            data.position(data.position() + Math.min(old, data.remaining()));
            sequence = next;
        }
        int room = promised - sequence;
        if (data.remaining() > room) {
            data.limit(data.position() + Math.max(0, room));
        }
        if (finKnown && before(finSequence, sequence + data.remaining())) {
            data.limit(data.position() + Math.max(0, finSequence - sequence));
        }
        boolean expected = sequence == next && early.isEmpty();
        if (sequence == next) {
            pass(data);
            passEarly();
        } else {
            keep(sequence, data);
        }
        if (finKnown && next == finSequence && !finished) {
            finished = true;
            next++;
            endIfDrained();
        }
        return expected;
    }

    private void pass(ByteBuffer data) throws IOException {
        next += data.remaining();
        if (queue.size() == 0 && data.hasRemaining()) {
            host.write(data);
        }
        queue.add(data);
    }

    private void keep(int sequence, ByteBuffer data) {
        int size = data.remaining();
        if (size == 0 || early.size() >= EARLY_PIECES || earlyBytes + size > CAPACITY) {
            return;
        }
        byte[] piece = new byte[size];
        data.get(piece);
        byte[] previous = early.get(sequence - origin);
        if (previous == null || previous.length < size) {
            early.put(sequence - origin, piece);
            earlyBytes += size - (previous == null ? 0 : previous.length);
        }
    }

    private void passEarly() throws IOException {
        while (!early.isEmpty() && early.firstKey() <= next - origin) {
            int key = early.firstKey();
            byte[] piece = early.remove(key);
            earlyBytes -= piece.length;
            int known = next - origin - key;
            if (known < piece.length) {
                pass(ByteBuffer.wrap(piece, known, piece.length - known));
            }
        }
        if (early.isEmpty()) {
            origin = next;
        }
    }

    /**
     * The host takes data again.
     *
     * @throws IOException if it does not after all
     */
    void drain() throws IOException {
        while (queue.size() > 0) {
            int count = host.write(queue.at(0));
            if (count == 0) {
                return;
            }
            queue.discard(count);
        }
        endIfDrained();
    }

    private void endIfDrained() throws IOException {
        if (finished && !shutDown && queue.size() == 0) {
            shutDown = true;
            host.shutdownOutput();
        }
    }

    void clear() {
        queue.clear();
        early.clear();
        earlyBytes = 0;
    }
}
