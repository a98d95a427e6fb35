package org.javisor.network;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * A guest's TCP of the plainest kind, written from RFC 9293 and without the code under test: sends
 * in order, takes in order only, and sends everything again after a time-out.
 */
final class TestGuestTcp {
    static final int FIN = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int ACK = 16;

    private static final int SEGMENT = 1460;
    private static final int SHIFT = 7;

    final IpAddress peer;
    final int peerPort;
    final int port;
    private final Consumer<byte[]> wire;
    private final ByteArrayOutputStream incoming = new ByteArrayOutputStream();
    private byte[] outgoing = {};
    private final int initial;
    private int una;
    private int nxt;
    private int rcv;
    private boolean closing;
    private int peerShift;
    private int peerWindow;

    /** What the application leaves unread of its buffer. */
    int room = 4 << 20;

    boolean established;
    boolean peerFinished;
    boolean finishedAcknowledged;
    boolean reset;

    TestGuestTcp(IpAddress peer, int peerPort, int port, int initial, Consumer<byte[]> wire) {
        this.peer = peer;
        this.peerPort = peerPort;
        this.port = port;
        this.initial = initial;
        this.wire = wire;
        una = initial;
        nxt = initial;
    }

    void connect() {
        nxt = initial + 1;
        emit(initial, SYN, new byte[0], new byte[] {2, 4, 5, (byte) 0xb4, 1, 3, 3, SHIFT});
    }

    void send(byte[] data) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(outgoing);
        all.writeBytes(data);
        outgoing = all.toByteArray();
        push();
    }

    void close() {
        closing = true;
        push();
    }

    void abort() {
        emit(nxt, RST | ACK, new byte[0], new byte[0]);
    }

    /** What it sends next. */
    int sequence() {
        return nxt;
    }

    /** What it expects next. */
    int expected() {
        return rcv;
    }

    byte[] incoming() {
        return incoming.toByteArray();
    }

    private void push() {
        if (!established) {
            return;
        }
        while (true) {
            int sent = nxt - initial - 1;
            int flying = nxt - una;
            int length = Math.min(SEGMENT, outgoing.length - sent);
            if (length > 0 && flying + length <= peerWindow) {
                byte[] data = new byte[length];
                System.arraycopy(outgoing, sent, data, 0, length);
                emit(nxt, ACK, data, new byte[0]);
                nxt += length;
            } else if (length == 0 && closing) {
                emit(nxt, FIN | ACK, new byte[0], new byte[0]);
                nxt++;
                return;
            } else {
                return;
            }
        }
    }

    /** The retransmission timer. */
    void timeout() {
        if (!established && nxt != una) {
            connect();
        } else if (una != nxt && !finishedAcknowledged) {
            nxt = una;
            push();
        }
    }

    /** A frame has come. */
    void receive(byte[] frame) {
        ByteBuffer b = ByteBuffer.wrap(frame);
        int start = 14 + (frame[14] & 15) * 4;
        int end = 14 + (b.getShort(16) & 0xffff);
        int flags = frame[start + 13];
        int sequence = b.getInt(start + 4);
        int ack = b.getInt(start + 8);
        int data = start + ((frame[start + 12] & 0xf0) >> 2);
        int length = end - data;
        if ((flags & RST) != 0) {
            reset = true;
            return;
        }
        if ((flags & SYN) != 0) {
            takeSyn(b, start, flags, sequence, ack);
            return;
        }
        if (!established) {
            return;
        }
        if (ack - una >= 0 && ack - una <= outgoing.length + 2) {
            una = ack;
            peerWindow = (b.getShort(start + 14) & 0xffff) << peerShift;
            nxt = nxt - una < 0 ? una : nxt;
            finishedAcknowledged |= closing && una - initial - 1 > outgoing.length;
        }
        if (sequence == rcv) {
            incoming.write(frame, data, length);
            rcv += length;
            room -= length;
            if ((flags & FIN) != 0) {
                rcv++;
                peerFinished = true;
            }
        }
        if (length > 0 || (flags & FIN) != 0) {
            emit(nxt, ACK, new byte[0], new byte[0]);
        }
        push();
    }

    private void takeSyn(ByteBuffer b, int start, int flags, int sequence, int ack) {
        if ((flags & ACK) != 0 && ack == initial + 1) {
            una = ack;
        }
        rcv = established ? rcv : sequence + 1;
        peerShift = b.get(start + 24 + 1) == 3 ? b.get(start + 27) : 0;
        peerWindow = b.getShort(start + 14) & 0xffff;
        if ((flags & ACK) == 0) {
            // The host connects: the answer is a SYN too.
            nxt = initial + 1;
            emit(
                    initial,
                    SYN | ACK,
                    new byte[0],
                    new byte[] {2, 4, 5, (byte) 0xb4, 1, 3, 3, SHIFT});
            established = true;
            return;
        }
        established = true;
        emit(nxt, ACK, new byte[0], new byte[0]);
        push();
    }

    /** The application has read. */
    void makeRoom(int bytes) {
        room += bytes;
        emit(nxt, ACK, new byte[0], new byte[0]);
    }

    private void emit(int sequence, int flags, byte[] data, byte[] options) {
        boolean syn = (flags & SYN) != 0;
        int window = Math.min(0xffff, syn ? Math.min(room, 0xffff) : Math.max(0, room) >> SHIFT);
        wire.accept(
                TestFrames.tcp(
                        TestFrames.GUEST,
                        port,
                        peer,
                        peerPort,
                        sequence,
                        (flags & ACK) == 0 ? 0 : rcv,
                        flags,
                        window,
                        options,
                        data));
    }
}
