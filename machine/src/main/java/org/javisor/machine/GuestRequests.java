package org.javisor.machine;

/**
 * What a guest can ask of its machine through its devices. From any thread, with a device's lock
 * held; does not wait.
 */
public interface GuestRequests {
    /** Ends the machine. */
    void powerOff();

    /**
     * Resets the machine, or ends it if it is configured so.
     *
     * @param cause which device, for messages
     */
    void reset(String cause);

    /**
     * Pauses the machine until {@link Machine#resume()}.
     *
     * @param cause which device and why, for messages
     */
    void pause(String cause);

    /** The guest has let its watchdog timer run out. */
    void watchdogExpired(WatchdogAction action);
}
