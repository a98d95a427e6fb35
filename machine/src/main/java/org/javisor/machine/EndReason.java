package org.javisor.machine;

/** Why a machine ended. */
public enum EndReason {
    /** The guest switched the machine off. */
    POWER_OFF,
    /** The guest's kernel panicked. */
    PANIC,
    /**
     * The processor shut down after a triple fault, and {@link MachineConfig#rebootOnTripleFault()}
     * is off.
     */
    TRIPLE_FAULT,
    /** The guest reset the machine, and {@link MachineConfig#rebootOnReset()} is off. */
    RESET,
    /** The guest has let its watchdog timer run out, whose action is to end the machine. */
    WATCHDOG,
    /** The engine or a device could not go on. */
    FAILURE,
    /** {@link Machine#stop()} or {@link Machine#close()}. */
    STOPPED
}
