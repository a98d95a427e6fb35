package org.javisor.network;

/**
 * One end of a cable between a network card and a network. Each end holds the other and hands it
 * frames; both directions are alike.
 *
 * <p>Frames may carry work that the sender left to the card: an unfinished checksum, or a TCP
 * segment of up to 64 KiB that is to be cut into the link's frames ({@link Frame}). An end accepts
 * what it says in {@link #offloads()}; others must have {@link Segmenter} do it first.
 *
 * <p>Methods are called from any thread, several at once, and do not wait for anything but short
 * locks. An end may call the other's {@link #deliver} from within its own; a card must therefore
 * hold no lock that its own {@code deliver} needs while it delivers.
 */
public interface LinkEnd {
    /** Unfinished checksums are accepted. */
    int CHECKSUM = 1;

    /** TCP over IPv4 of any length is accepted; needs {@link #CHECKSUM}. */
    int TSO4 = 2;

    /** TCP over IPv6 of any length is accepted; needs {@link #CHECKSUM}. */
    int TSO6 = 4;

    /** Everything above. */
    int ALL_OFFLOADS = CHECKSUM | TSO4 | TSO6;

    /**
     * Takes a frame. It belongs to the caller again on return: what is to be kept must be copied.
     *
     * @return false if there is no room now; the frame has not been taken, and the other end's
     *     {@link #roomAgain} will be called
     */
    boolean deliver(Frame frame);

    /** What was delivered is a whole burst: act on it now. */
    void flush();

    /** The other end, which has refused a frame, takes frames again. */
    void roomAgain();

    /** The set of the constants above that this end accepts; may change while the link exists. */
    int offloads();
}
