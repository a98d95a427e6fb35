package org.javisor.network;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * A cable between two processes: frames on a stream socket, each after twelve bytes with its length
 * and what is left to do about it. Used under its event loop's lock.
 */
final class FrameChannel implements EventLoop.Handler {
    private static final int HEADER = 12;
    private static final int IN = 4 * (HEADER + Frame.MAXIMUM_LENGTH);

    /** What one event may read, so that one card does not starve the others. */
    private static final int READS = 4;

    private final EventLoop loop;
    private final SocketChannel channel;
    private final LinkEnd target;
    private final Runnable ended;
    private final SelectionKey key;
    private final ByteBuffer in = ByteBuffer.allocateDirect(IN);
    private final ByteBuffer header = ByteBuffer.allocateDirect(HEADER);

    /** The rest of a frame of which the socket took only a part. */
    private final ByteBuffer rest = ByteBuffer.allocateDirect(HEADER + Frame.MAXIMUM_LENGTH);

    private final ByteBuffer[] gather = new ByteBuffer[9];
    private final Frame frame = new Frame();
    private boolean refused;
    private boolean targetFull;
    private boolean closed;

    /**
     * @param channel connected, not blocking
     * @param target takes what comes
     * @param ended told once when the other side has gone
     */
    FrameChannel(EventLoop loop, SocketChannel channel, LinkEnd target, Runnable ended)
            throws IOException {
        this.channel = channel;
        this.target = target;
        this.ended = ended;
        rest.limit(0);
        key = loop.register(channel, SelectionKey.OP_READ, this);
        this.loop = loop;
    }

    /**
     * Sends a frame.
     *
     * @return false if there is no room now; the target's {@code roomAgain} follows
     */
    boolean send(Frame whole) {
        if (closed || whole.length() > Frame.MAXIMUM_LENGTH) {
            return true;
        }
        if (rest.hasRemaining()) {
            refused = true;
            return false;
        }
        header.clear();
        header.putInt(whole.length());
        header.putShort((short) whole.checksumStart());
        header.putShort((short) whole.checksumOffset());
        header.putShort((short) whole.gsoType()).putShort((short) whole.gsoSize()).flip();
        gather[0] = header;
        for (int i = 0; i < whole.parts(); i++) {
            gather[i + 1] = whole.part(i).duplicate();
        }
        try {
            channel.write(gather, 0, whole.parts() + 1);
            keepRest(whole.parts() + 1);
        } catch (IOException e) {
            close();
        }
        return true;
    }

    private void keepRest(int count) {
        rest.clear();
        for (int i = 0; i < count; i++) {
            rest.put(gather[i]);
            gather[i] = null;
        }
        rest.flip();
        if (rest.hasRemaining()) {
            want();
        }
    }

    private void want() {
        if (key.isValid()) {
            key.interestOps(
                    (targetFull ? 0 : SelectionKey.OP_READ)
                            | (rest.hasRemaining() ? SelectionKey.OP_WRITE : 0));
            loop.wake();
        }
    }

    @Override
    public void ready(SelectionKey selected) {
        try {
            if (selected.isWritable()) {
                channel.write(rest);
                if (!rest.hasRemaining()) {
                    want();
                    if (refused) {
                        refused = false;
                        target.roomAgain();
                    }
                }
            }
            if (!closed && selected.isReadable()) {
                receive();
            }
        } catch (IOException e) {
            close();
        }
    }

    private void receive() throws IOException {
        for (int i = 0; i < READS && !targetFull; i++) {
            int count = channel.read(in);
            if (count < 0) {
                close();
                return;
            }
            if (count == 0) {
                break;
            }
            // A socket that had more would have filled the buffer.
            boolean drained = in.hasRemaining();
            pass();
            if (drained) {
                break;
            }
        }
        if (!closed) {
            target.flush();
        }
    }

    /** Delivers the whole frames in {@code in}. */
    private void pass() {
        in.flip();
        while (!closed && in.remaining() >= HEADER) {
            int at = in.position();
            int length = in.getInt(at);
            if (length <= 0 || length > Frame.MAXIMUM_LENGTH) {
                close();
                break;
            }
            if (in.remaining() < HEADER + length) {
                break;
            }
            frame.reset(in.slice(at + HEADER, length));
            int start = in.getShort(at + 4);
            if (start >= 0) {
                frame.leaveChecksum(start, in.getShort(at + 6) & 0xffff);
            }
            frame.leaveSegmentation(in.getShort(at + 8) & 0xffff, in.getShort(at + 10) & 0xffff);
            if (!target.deliver(frame)) {
                targetFull = true;
                want();
                break;
            }
            in.position(at + HEADER + length);
        }
        in.compact();
    }

    /** The target takes frames again. */
    void roomAgain() {
        if (targetFull && !closed) {
            targetFull = false;
            pass();
            want();
            target.flush();
        }
    }

    void close() {
        if (!closed) {
            closed = true;
            UserNetwork.closeQuietly(channel);
            loop.wake();
            ended.run();
        }
    }
}
