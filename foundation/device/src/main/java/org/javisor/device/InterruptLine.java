package org.javisor.device;

/**
 * A wire to an interrupt controller. The device drives its level and knows neither the controller
 * nor the input. Driving a level the wire already has is no event. Thread-safe.
 */
@FunctionalInterface
public interface InterruptLine {
    /** A wire that leads nowhere. */
    InterruptLine UNCONNECTED = asserted -> {};

    void drive(boolean asserted);

    /** An edge: up and down again. */
    default void pulse() {
        drive(true);
        drive(false);
    }
}
