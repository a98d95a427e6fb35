package org.javisor.machine;

/** The stages of a machine's life. */
public enum MachineState {
    CREATED,
    RUNNING,
    PAUSED,
    ENDED,
    CLOSED
}
