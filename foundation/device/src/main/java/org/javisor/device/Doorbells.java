package org.javisor.device;

/**
 * Makes guests' writes to some addresses signals, without stopping the processor; an engine's
 * ability.
 */
public interface Doorbells {
    /**
     * From now on the bell rings when the guest writes there.
     *
     * @param gpa the guest-physical address of the register
     * @return false if the host cannot; then writes reach the device as before
     */
    boolean install(long gpa, Doorbell bell);

    /** Undoes {@link #install}; no effect if it was not installed there. */
    void remove(long gpa, Doorbell bell);

    /** No bell rings after this returns. Not to be called by a bell. */
    void stop();
}
