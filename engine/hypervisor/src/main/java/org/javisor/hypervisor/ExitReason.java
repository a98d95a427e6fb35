package org.javisor.hypervisor;

/** Why {@link Vcpu#run} returned. */
public enum ExitReason {
    /**
     * Somebody asked through {@link Vcpu#requestExit}, or a {@link VcpuIo} access did on this
     * thread.
     */
    REQUESTED,
    /** A triple fault: the processor has shut down. A PC resets. */
    SHUTDOWN,
    /** A breakpoint, watchpoint or single step of {@link DebugRequest}. */
    DEBUG,
    /** The engine cannot go on with this guest; see {@link Vcpu#failure()}. */
    FAILURE
}
