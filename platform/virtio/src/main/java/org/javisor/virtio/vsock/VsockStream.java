package org.javisor.virtio.vsock;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.locks.Condition;
import org.javisor.virtio.DescriptorChain;

/**
 * One stream between a port of the guest and a port of the host. For any threads; the blocking
 * calls are made for virtual ones.
 */
public final class VsockStream implements AutoCloseable {
    /** What is held for a stream in each direction, in bytes. */
    static final int CAPACITY = 1 << 18;

    private enum Phase {
        /** The guest asks for it; it is not accepted yet. */
        REQUESTED,
        /** The host asks for it; the guest has not answered yet. */
        CONNECTING,
        OPEN,
        /** Refused, reset or over. */
        CLOSED
    }

    private final VirtioVsock device;
    private final int guestPort;
    private final int hostPort;

    // Guarded by the device's lock.
    private final Condition changed;
    private final ByteRing fromGuest = new ByteRing(CAPACITY);
    private final ByteRing toGuest = new ByteRing(CAPACITY);
    private Phase phase;
    private boolean opened;
    private boolean guestSendsNoMore;
    private boolean guestReceivesNoMore;
    private boolean hostSendsNoMore;
    private boolean hostClosed;
    private int shutdownTold;

    /** The packet without data that is due: an operation, or 0. */
    private int due;

    private boolean creditDue;

    /** Credit, modulo 2^32: what the guest said last, and what was sent and passed on. */
    private int guestAllocated;

    private int guestForwarded;
    private int sent;
    private int forwarded;
    private int forwardedTold;

    VsockStream(VirtioVsock device, int guestPort, int hostPort, boolean byGuest) {
        this.device = device;
        this.guestPort = guestPort;
        this.hostPort = hostPort;
        changed = device.lock.newCondition();
        phase = byGuest ? Phase.REQUESTED : Phase.CONNECTING;
        due = byGuest ? 0 : VsockPacket.REQUEST;
    }

    public int guestPort() {
        return guestPort;
    }

    public int hostPort() {
        return hostPort;
    }

    // For programs

    /** Lets a stream begin that the guest asked for. */
    public void accept() throws IOException {
        device.lock.lock();
        try {
            if (phase == Phase.CLOSED) {
                throw new IOException("The guest is no longer there");
            }
            if (phase == Phase.REQUESTED) {
                phase = Phase.OPEN;
                due = VsockPacket.RESPONSE;
                device.ready(this);
            }
        } finally {
            device.lock.unlock();
        }
    }

    void awaitOpen(long nanos) throws IOException {
        device.lock.lock();
        try {
            long left = nanos;
            while (phase == Phase.CONNECTING && left > 0) {
                left = await(left);
            }
            if (!opened) {
                boolean late = phase == Phase.CONNECTING;
                reset();
                throw new IOException(
                        late
                                ? "The guest does not answer on vsock port " + port(guestPort)
                                : "The guest refuses vsock port " + port(guestPort));
            }
        } finally {
            device.lock.unlock();
        }
    }

    private static String port(int number) {
        return Integer.toUnsignedString(number);
    }

    private long await(long nanos) throws IOException {
        try {
            return changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("Interrupted");
        }
    }

    /**
     * Waits for bytes from the guest.
     *
     * @return how many, or -1 at the end
     */
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        device.lock.lock();
        try {
            while (fromGuest.length() == 0) {
                if (guestSendsNoMore || hostClosed || phase == Phase.CLOSED) {
                    return -1;
                }
                long ignored = await(Long.MAX_VALUE);
            }
            int count = fromGuest.take(target, offset, length);
            forwarded += count;
            // Early enough that a guest that sends steadily never waits for it.
            if (forwarded - forwardedTold >= CAPACITY / 4 && phase == Phase.OPEN) {
                creditDue = true;
                device.ready(this);
            }
            return count;
        } finally {
            device.lock.unlock();
        }
    }

    /**
     * Sends to the guest; waits for room.
     *
     * @throws IOException if the guest receives no more
     */
    public void write(byte[] source, int offset, int length) throws IOException {
        device.lock.lock();
        try {
            int done = 0;
            while (done < length) {
                if (phase == Phase.CLOSED || guestReceivesNoMore || hostSendsNoMore) {
                    throw new IOException("The vsock stream is closed");
                }
                int part = toGuest.put(source, offset + done, length - done);
                done += part;
                if (part > 0) {
                    device.ready(this);
                } else {
                    long ignored = await(Long.MAX_VALUE);
                }
            }
        } finally {
            device.lock.unlock();
        }
    }

    /** The guest reads the end after what was written. */
    public void shutdownOutput() {
        device.lock.lock();
        try {
            hostSendsNoMore = true;
            device.ready(this);
        } finally {
            device.lock.unlock();
        }
    }

    /** Ends it; what was written still arrives. */
    @Override
    public void close() {
        device.lock.lock();
        try {
            hostSendsNoMore = true;
            hostClosed = true;
            if (phase == Phase.REQUESTED || phase == Phase.CONNECTING) {
                reset();
            }
            changed.signalAll();
            device.ready(this);
        } finally {
            device.lock.unlock();
        }
    }

    // For the device, with its lock held

    /** Ends it at once and tells the guest. */
    void reset() {
        if (phase != Phase.CLOSED) {
            gone();
            due = VsockPacket.RESET;
            device.ready(this);
        }
    }

    /** It is over for the guest: nothing more can be sent. */
    void gone() {
        phase = Phase.CLOSED;
        due = 0;
        toGuest.clear();
        changed.signalAll();
    }

    /** Takes a packet of the guest's for this stream. */
    void receive(VsockPacket packet, DescriptorChainPayload payload) {
        guestAllocated = packet.allocated();
        guestForwarded = packet.forwarded();
        switch (packet.operation()) {
            case VsockPacket.RESPONSE -> {
                if (phase != Phase.CONNECTING) {
                    reset();
                    return;
                }
                phase = Phase.OPEN;
                opened = true;
                changed.signalAll();
            }
            case VsockPacket.DATA -> receiveData(packet, payload);
            case VsockPacket.CREDIT_UPDATE -> {}
            case VsockPacket.CREDIT_REQUEST -> creditDue = phase == Phase.OPEN;
            case VsockPacket.SHUTDOWN -> {
                guestReceivesNoMore |= (packet.flags() & VsockPacket.NO_RECEIVE) != 0;
                guestSendsNoMore |= (packet.flags() & VsockPacket.NO_SEND) != 0;
                changed.signalAll();
                if (guestReceivesNoMore && guestSendsNoMore) {
                    reset();
                    return;
                }
            }
            case VsockPacket.RESET -> {
                gone();
                return;
            }
            default -> {
                reset();
                return;
            }
        }
        device.ready(this);
    }

    private void receiveData(VsockPacket packet, DescriptorChainPayload payload) {
        int length = packet.length();
        boolean allowed =
                phase == Phase.OPEN
                        && !guestSendsNoMore
                        && length >= 0
                        && length <= fromGuest.room()
                        && length <= payload.length();
        if (!allowed) {
            reset();
        } else if (hostClosed) {
            // Nobody reads it, but the guest may send what it has before it learns of that.
            forwarded += length;
        } else {
            payload.moveTo(fromGuest, length);
            changed.signalAll();
        }
    }

    private int credit() {
        return Math.max(0, guestAllocated - (sent - guestForwarded));
    }

    private int shutdownDue() {
        boolean allSent = hostSendsNoMore && toGuest.length() == 0 && phase == Phase.OPEN;
        int flags = !allSent ? 0 : VsockPacket.NO_SEND | (hostClosed ? VsockPacket.NO_RECEIVE : 0);
        return flags == shutdownTold ? 0 : flags;
    }

    /** Whether there is a packet for the guest. */
    boolean hasPacket() {
        return due != 0
                || phase == Phase.OPEN
                        && (creditDue
                                || shutdownDue() != 0
                                || toGuest.length() > 0 && credit() > 0);
    }

    /** Whether the device can forget it. */
    boolean over() {
        return phase == Phase.CLOSED && due == 0;
    }

    /**
     * Makes the next packet.
     *
     * @param room for its payload
     * @return bytes written: header and payload
     */
    int makePacket(DescriptorChain chain, int room) {
        int operation = due;
        int flags = 0;
        int length = 0;
        if (operation == 0) {
            length = Math.min(Math.min(toGuest.length(), credit()), room);
            flags = length > 0 ? 0 : shutdownDue();
            operation =
                    length > 0
                            ? VsockPacket.DATA
                            : flags != 0 ? VsockPacket.SHUTDOWN : VsockPacket.CREDIT_UPDATE;
        }
        shutdownTold |= flags;
        due = 0;
        creditDue = false;
        forwardedTold = forwarded;
        device.header(this, operation, flags, length, CAPACITY, forwarded).write(chain);
        if (length > 0) {
            toGuest.take(chain, VsockPacket.HEADER, length);
            sent += length;
            changed.signalAll();
        }
        return VsockPacket.HEADER + length;
    }
}
