package org.javisor.network;

import java.util.Optional;

/** A network behind something that sees each frame: a capture or a limit. */
abstract class FilteredNetwork implements Network {
    private final Network inner;

    FilteredNetwork(Network inner) {
        this.inner = inner;
    }

    /** One direction's filter. */
    abstract static class Filter implements LinkEnd {
        private LinkEnd source;
        private LinkEnd target;

        /** Who delivers them here, and is told of room after a refusal. */
        final LinkEnd source() {
            return source;
        }

        /** Whom the frames are for. */
        final LinkEnd target() {
            return target;
        }

        @Override
        public boolean deliver(Frame frame) {
            return target.deliver(frame);
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
            return target.offloads();
        }
    }

    /** The filter of what the network sends to the card. */
    abstract Filter towardsCard();

    /** The filter of what the card sends. */
    abstract Filter towardsNetwork();

    @Override
    public final LinkEnd connect(LinkEnd card) {
        Filter down = towardsCard();
        Filter up = towardsNetwork();
        down.target = card;
        up.source = card;
        up.target = inner.connect(down);
        down.source = up.target;
        return up;
    }

    @Override
    public final Optional<UserNetwork> userMode() {
        return inner.userMode();
    }

    @Override
    public String description() {
        return inner.description();
    }

    @Override
    public void close() {
        inner.close();
    }
}
