package org.javisor.network;

import java.util.Optional;

/**
 * Something that one network card's cable is plugged into: the user-mode network, a port of a
 * switch, a TAP interface, or one of these behind a filter.
 */
public interface Network extends AutoCloseable {
    /**
     * Plugs the card in. Nothing is delivered before this returns.
     *
     * @param card the card's end
     * @return the network's end
     * @throws IllegalStateException if a card is plugged in already
     */
    LinkEnd connect(LinkEnd card);

    /** The user-mode network that this is, perhaps behind filters. */
    default Optional<UserNetwork> userMode() {
        return Optional.empty();
    }

    /** One line on what this is, for messages. */
    String description();

    /** Unplugs the card and gives everything back; nothing is delivered once it has returned. */
    @Override
    void close();
}
