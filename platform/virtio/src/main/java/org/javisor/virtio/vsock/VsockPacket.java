package org.javisor.virtio.vsock;

import org.javisor.virtio.DescriptorChain;

/**
 * A packet's header (5.10.6), 44 bytes; the payload follows it.
 *
 * @param length of the payload, unsigned
 * @param type 1 for streams
 * @param operation one of the constants
 * @param flags of a shutdown
 * @param allocated how much the sender holds for the stream
 * @param forwarded how much of what it received it has passed on, modulo 2^32
 */
record VsockPacket(
        long sourceCid,
        long targetCid,
        int sourcePort,
        int targetPort,
        int length,
        int type,
        int operation,
        int flags,
        int allocated,
        int forwarded) {
    static final int HEADER = 44;
    static final int STREAM = 1;

    static final int REQUEST = 1;
    static final int RESPONSE = 2;
    static final int RESET = 3;
    static final int SHUTDOWN = 4;
    static final int DATA = 5;
    static final int CREDIT_UPDATE = 6;
    static final int CREDIT_REQUEST = 7;

    /** In the flags of a shutdown: the sender will receive no more, will send no more. */
    static final int NO_RECEIVE = 1;

    static final int NO_SEND = 2;

    static VsockPacket read(DescriptorChain chain) {
        return new VsockPacket(
                chain.readNumber(0, 8),
                chain.readNumber(8, 8),
                (int) chain.readNumber(16, 4),
                (int) chain.readNumber(20, 4),
                (int) chain.readNumber(24, 4),
                (int) chain.readNumber(28, 2),
                (int) chain.readNumber(30, 2),
                (int) chain.readNumber(32, 4),
                (int) chain.readNumber(36, 4),
                (int) chain.readNumber(40, 4));
    }

    void write(DescriptorChain chain) {
        chain.writeNumber(0, 8, sourceCid);
        chain.writeNumber(8, 8, targetCid);
        chain.writeNumber(16, 4, sourcePort);
        chain.writeNumber(20, 4, targetPort);
        chain.writeNumber(24, 4, length);
        chain.writeNumber(28, 2, type);
        chain.writeNumber(30, 2, operation);
        chain.writeNumber(32, 4, flags);
        chain.writeNumber(36, 4, allocated);
        chain.writeNumber(40, 4, forwarded);
    }

    /** The answer that there is no such stream. */
    VsockPacket refusal() {
        return new VsockPacket(
                targetCid, sourceCid, targetPort, sourcePort, 0, type, RESET, 0, 0, 0);
    }

    /** The same as a packet that only tells the sender's credit. */
    VsockPacket asCredit() {
        return new VsockPacket(
                sourceCid,
                targetCid,
                sourcePort,
                targetPort,
                0,
                type,
                CREDIT_UPDATE,
                0,
                allocated,
                forwarded);
    }
}
