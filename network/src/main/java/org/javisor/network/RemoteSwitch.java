package org.javisor.network;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port of a switch in another process. When that process ends, frames are lost until there is a
 * switch of that name again.
 */
final class RemoteSwitch implements Network {
    private static final Logger LOG = LoggerFactory.getLogger(RemoteSwitch.class);
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final SwitchDirectory directory;
    private final String name;
    private final boolean isolated;
    private final EventLoop loop;
    private final SocketChannel first;
    private Plug plug;
    private long retry = Long.MAX_VALUE;
    private boolean closed;

    /**
     * @throws NetworkException NO_SWITCH if there is none
     */
    RemoteSwitch(SwitchDirectory directory, String name, boolean isolated) {
        this.directory = directory;
        this.name = name;
        this.isolated = isolated;
        first = directory.join(name, isolated);
        loop = new EventLoop("switch-port-" + name, lock, new Retries());
    }

    /** Tries again while the switch is gone. */
    private final class Retries implements EventLoop.Timed {
        @Override
        public long deadline() {
            lock.lock();
            try {
                return retry;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void turn(long now) {
            if (now < retry || closed) {
                return;
            }
            try {
                plug.open(directory.join(name, isolated));
                retry = Long.MAX_VALUE;
                LOG.info("The switch {} is back", name);
            } catch (NetworkException | IOException e) {
                retry = now + PAUSE;
            }
        }
    }

    /** The network's end, and what the cable's other process delivers to. */
    private final class Plug implements LinkEnd {
        private final LinkEnd card;
        private final Incoming incoming = new Incoming();
        private FrameChannel frames;

        Plug(LinkEnd card) {
            this.card = card;
        }

        void open(SocketChannel channel) throws IOException {
            frames = new FrameChannel(loop, channel, incoming, this::gone);
        }

        private void gone() {
            if (!closed) {
                LOG.warn("The switch {} has gone; waiting for it", name);
                retry = System.nanoTime() + PAUSE;
                card.roomAgain();
            }
        }

        @Override
        public boolean deliver(Frame frame) {
            lock.lock();
            try {
                return frames.send(frame);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void flush() {}

        @Override
        public void roomAgain() {
            lock.lock();
            try {
                frames.roomAgain();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int offloads() {
            return ALL_OFFLOADS;
        }

        /** Whatever the card does not accept is done here. */
        private final class Incoming implements LinkEnd {
            private final Segmenter segmenter = new Segmenter();

            @Override
            public boolean deliver(Frame frame) {
                return segmenter.deliver(frame, card);
            }

            @Override
            public void flush() {
                card.flush();
            }

            @Override
            public void roomAgain() {
                card.roomAgain();
            }

            @Override
            public int offloads() {
                return ALL_OFFLOADS;
            }
        }
    }

    @Override
    public LinkEnd connect(LinkEnd card) {
        lock.lock();
        try {
            if (plug != null) {
                throw new IllegalStateException("A card is plugged in already");
            }
            plug = new Plug(card);
            plug.open(first);
            loop.start();
            return plug;
        } catch (IOException e) {
            throw new NetworkException(
                    NetworkException.Code.NO_SWITCH, "The switch " + name + " has gone", e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String description() {
        return "switch " + name + (isolated ? ", isolated" : "");
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (plug == null) {
                UserNetwork.closeQuietly(first);
            } else {
                plug.frames.close();
            }
        } finally {
            lock.unlock();
        }
        loop.close();
    }
}
