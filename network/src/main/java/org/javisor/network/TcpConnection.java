package org.javisor.network;

import static org.javisor.network.TcpHeader.before;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * One TCP connection of the guest's, and the host's socket at its other end (RFC 9293). Used under
 * its network's lock.
 */
final class TcpConnection implements TcpSender.Wire {
    enum State {
        /** The guest has asked; the host's socket is being connected. */
        CONNECTING,
        /** The guest has been answered, and its acknowledgment is awaited. */
        SYN_RECEIVED,
        /** The guest has been asked. */
        SYN_SENT,
        ESTABLISHED,
        /** Both sides have ended; late segments are still answered. */
        TIME_WAIT,
        CLOSED
    }

    /** Read ahead of the guest's acknowledgments. */
    private static final int SEND_CAPACITY = 8 * ChunkPool.CHUNK;

    /** What one event may read, so that one connection does not starve the others. */
    private static final int READ_BURST = 4 * ChunkPool.CHUNK;

    private static final int DEFAULT_SEGMENT = 536;
    private static final int MAXIMUM_SYNS = 6;
    private static final long TIME_WAIT = TimeUnit.SECONDS.toNanos(4);

    final Flow flow;
    private final TcpRelay relay;
    private final TcpOutput output;
    private final HostStream host;
    private final TcpSender sender;
    private final int initialSequence;
    private TcpReceiver receiver;
    private State state;
    private int guestShift;
    private boolean scaled;
    private int guestSegment = DEFAULT_SEGMENT;
    private boolean acknowledge;
    private boolean reading;
    private boolean writing;
    private long timeWaitEnd = Long.MAX_VALUE;

    /**
     * @param opener makes the host's socket for this connection
     */
    TcpConnection(Flow flow, TcpRelay relay, TcpOutput output, int initialSequence, Opener opener) {
        this.flow = flow;
        this.relay = relay;
        this.output = output;
        this.initialSequence = initialSequence;
        sender = new TcpSender(new ByteQueue(relay.pool()), this, initialSequence);
        host = opener.open(this);
    }

    interface Opener {
        HostStream open(TcpConnection connection);
    }

    State state() {
        return state;
    }

    /** When {@link #expired} wants to be called. */
    long deadline() {
        return Math.min(sender.deadline(), timeWaitEnd);
    }

    // Opening

    /** The guest asks. */
    void openByGuest(TcpHeader syn) {
        state = State.CONNECTING;
        takeSyn(syn);
        host.connect();
    }

    /** The host asks, by a forwarded port; its socket is connected already. */
    void openByHost(long now) {
        state = State.SYN_SENT;
        sendSyn(now);
    }

    private void takeSyn(TcpHeader syn) {
        scaled = syn.windowShift >= 0;
        guestShift = Math.max(0, syn.windowShift);
        guestSegment = syn.maximumSegment == 0 ? DEFAULT_SEGMENT : syn.maximumSegment;
        receiver = new TcpReceiver(new ByteQueue(relay.pool()), host, syn.sequence, scaled);
    }

    private void sendSyn(long now) {
        boolean answer = state == State.SYN_RECEIVED;
        int flags = TcpHeader.SYN | (answer ? TcpHeader.ACK : 0);
        int window = answer ? receiver.firstWindow() : 0xffff;
        int shift = answer && !scaled ? -1 : TcpReceiver.SHIFT;
        int ack = answer ? receiver.next() : 0;
        output.send(flow, flags, initialSequence, ack, window, shift, sender.queue, 0, 0, 1);
        sender.synSent(now);
        relay.schedule(this);
    }

    /** The host's socket is connected. */
    void hostConnected(long now) {
        if (state == State.CONNECTING) {
            state = State.SYN_RECEIVED;
            sendSyn(now);
        }
    }

    /** The host's socket cannot be connected. */
    void hostFailed() {
        if (state == State.CONNECTING) {
            sendReset();
            close();
            host.close();
        }
    }

    // From the guest

    /** A segment has come. */
    void segment(long now, TcpHeader segment) {
        switch (state) {
            case CONNECTING -> {
                if (segment.has(TcpHeader.RST)) {
                    abort();
                }
            }
            case SYN_SENT -> answered(now, segment);
            case SYN_RECEIVED, ESTABLISHED, TIME_WAIT -> synchronised(now, segment);
            case CLOSED -> {}
        }
        relay.schedule(this);
    }

    private void answered(long now, TcpHeader segment) {
        if (segment.has(TcpHeader.ACK) && segment.acknowledgment != initialSequence + 1) {
            output.refuse(flow, segment);
            return;
        }
        if (segment.has(TcpHeader.RST)) {
            if (segment.has(TcpHeader.ACK)) {
                abort();
            }
            return;
        }
        if (!segment.has(TcpHeader.SYN) || !segment.has(TcpHeader.ACK)) {
            return;
        }
        takeSyn(segment);
        receiver.firstWindow();
        establish(segment.window);
        sendAcknowledgment();
        fill(now);
    }

    private void establish(int window) {
        state = State.ESTABLISHED;
        int fitting = Math.min(guestSegment, output.maximumSegment(flow));
        sender.established(fitting, window);
    }

    private void synchronised(long now, TcpHeader segment) {
        if (!receiver.acceptable(segment.sequence, segment.span())) {
            if (!segment.has(TcpHeader.RST)) {
                acknowledgeRepeated(now, segment);
            }
            return;
        }
        if (segment.has(TcpHeader.RST)) {
            if (segment.sequence == receiver.next()) {
                abort();
            } else {
                // RFC 5961, 3.2: whoever means it will repeat it with the right number.
                sendAcknowledgment();
            }
            return;
        }
        if (segment.has(TcpHeader.SYN)) {
            sendAcknowledgment();
            return;
        }
        if (!segment.has(TcpHeader.ACK)) {
            return;
        }
        if (state == State.SYN_RECEIVED) {
            if (segment.acknowledgment != sender.next()) {
                output.refuse(flow, segment);
                return;
            }
            establish(segment.window << guestShift);
        }
        acknowledged(now, segment);
        if (state == State.ESTABLISHED && segment.span() > 0) {
            receive(segment);
        }
        if (state == State.ESTABLISHED) {
            fill(now);
        }
    }

    /**
     * What has been received already is acknowledged again; its own acknowledgment still counts.
     */
    private void acknowledgeRepeated(long now, TcpHeader segment) {
        if (state == State.SYN_RECEIVED) {
            if (segment.has(TcpHeader.SYN)) {
                sendSyn(now);
            }
            return;
        }
        if (segment.has(TcpHeader.ACK) && before(segment.sequence, receiver.next())) {
            acknowledged(now, segment);
        }
        if (segment.span() > 0 || segment.sequence != receiver.next()) {
            sendAcknowledgment();
        }
    }

    private void acknowledged(long now, TcpHeader segment) {
        int ack = segment.acknowledgment;
        if (before(sender.highest(), ack)) {
            sendAcknowledgment();
            return;
        }
        sender.acknowledged(now, ack, segment.window << guestShift, segment.span() == 0);
        finishIfDone(now);
    }

    private void receive(TcpHeader segment) {
        try {
            boolean expected = receiver.accept(segment);
            acknowledge = true;
            if (!expected) {
                sendAcknowledgment();
            } else {
                relay.acknowledgeLater(this);
            }
            updateWishes();
            finishIfDone(relay.now());
        } catch (IOException e) {
            hostBroken();
        }
    }

    // From the host

    /** The host has data, or its end. */
    void hostReadable(long now) {
        if (state == State.ESTABLISHED) {
            fill(now);
            relay.schedule(this);
        }
    }

    /** The host takes data again. */
    void hostWritable(long now) {
        if (state != State.ESTABLISHED) {
            return;
        }
        try {
            receiver.drain();
            if (receiver.worthTelling()) {
                sendAcknowledgment();
            }
            updateWishes();
            finishIfDone(now);
        } catch (IOException e) {
            hostBroken();
        }
    }

    /** Reads ahead from the host and sends. */
    private void fill(long now) {
        try {
            int left = READ_BURST;
            boolean more = false;
            while (!sender.finishing() && left > 0 && readRoom() >= ChunkPool.CHUNK) {
                int asked = sender.queue.tail().remaining();
                int count = host.read(sender.queue.tail());
                sender.queue.written(Math.max(0, count));
                if (count < 0) {
                    sender.finish();
                }
                more = count == asked;
                if (!more) {
                    break;
                }
                left -= count;
            }
            sender.expectMore(more);
            sender.send(now);
            updateWishes();
        } catch (IOException e) {
            hostBroken();
        }
    }

    private int readRoom() {
        return SEND_CAPACITY - sender.queue.size();
    }

    private void updateWishes() {
        if (state != State.ESTABLISHED) {
            return;
        }
        boolean read = !sender.finishing() && readRoom() >= ChunkPool.CHUNK;
        boolean write = receiver.hasQueued();
        if (read != reading || write != writing) {
            reading = read;
            writing = write;
            host.want(read, write);
        }
    }

    /** The other end of the host's socket has reset it. */
    private void hostBroken() {
        sendReset();
        close();
        host.close();
    }

    // To the guest

    @Override
    public boolean sendData(int sequence, int offset, int length, boolean fin) {
        boolean last = offset + length == sender.queue.size();
        int flags =
                TcpHeader.ACK
                        | (fin ? TcpHeader.FIN : 0)
                        | (last && length > 0 ? TcpHeader.PSH : 0);
        boolean sent =
                output.send(
                        flow,
                        flags,
                        sequence,
                        receiver.next(),
                        receiver.promise(),
                        -1,
                        sender.queue,
                        offset,
                        length,
                        sender.segment());
        if (sent) {
            acknowledge = false;
        } else {
            relay.refused(this);
        }
        return sent;
    }

    @Override
    public int maximumData() {
        return output.maximumData(flow, sender.segment());
    }

    private void sendAcknowledgment() {
        acknowledge =
                !output.send(
                        flow,
                        TcpHeader.ACK,
                        sender.next(),
                        receiver.next(),
                        receiver.promise(),
                        -1,
                        sender.queue,
                        0,
                        0,
                        1);
        if (acknowledge) {
            relay.refused(this);
        }
    }

    /** The guest's burst is over: what it sent is acknowledged, unless data has done so. */
    void flush() {
        if (acknowledge && (state == State.ESTABLISHED || state == State.TIME_WAIT)) {
            sendAcknowledgment();
        }
    }

    /** The link has room again. */
    void roomAgain(long now) {
        if (state == State.ESTABLISHED) {
            if (sender.refused()) {
                sender.send(now);
            }
            flush();
            relay.schedule(this);
        }
    }

    private void sendReset() {
        int sequence = state == State.CONNECTING ? 0 : sender.next();
        int ack = receiver == null ? 0 : receiver.next();
        int flags = TcpHeader.RST | TcpHeader.ACK;
        output.send(flow, flags, sequence, ack, 0, -1, sender.queue, 0, 0, 1);
    }

    // Ending

    /** The deadline has passed. */
    void expired(long now) {
        if (now >= timeWaitEnd) {
            close();
            return;
        }
        switch (state) {
            case SYN_SENT, SYN_RECEIVED -> {
                if (sender.attempts() >= MAXIMUM_SYNS) {
                    abort();
                } else {
                    sendSyn(now);
                }
            }
            case ESTABLISHED -> {
                if (!sender.expired(now)) {
                    sendReset();
                    abort();
                }
            }
            case CONNECTING, TIME_WAIT, CLOSED -> {}
        }
        relay.schedule(this);
    }

    private void finishIfDone(long now) {
        if (state != State.ESTABLISHED || !sender.finished() || !receiver.drained()) {
            return;
        }
        flush();
        host.close();
        receiver.clear();
        state = State.TIME_WAIT;
        timeWaitEnd = now + TIME_WAIT;
        relay.schedule(this);
    }

    /** Ends it at once, and tells the host's side. */
    void abort() {
        if (state != State.CLOSED && state != State.TIME_WAIT) {
            host.reset();
        }
        close();
    }

    /** Ends it at once and tells both sides. */
    void cut() {
        if (state == State.ESTABLISHED || state == State.SYN_RECEIVED) {
            sendReset();
        }
        abort();
    }

    private void close() {
        state = State.CLOSED;
        sender.queue.clear();
        if (receiver != null) {
            receiver.clear();
        }
        relay.remove(this);
    }
}
