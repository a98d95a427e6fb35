package org.javisor.machine;

/** A debugger's ear. */
@FunctionalInterface
public interface DebugListener {
    /**
     * A processor met what its {@link org.javisor.hypervisor.DebugRequest} asked for, or a triple
     * fault has shut it down and the machine will end when it goes on; the whole machine stands
     * still. Called on one of the machine's threads; returns soon, and calls no method of the
     * machine that waits.
     */
    void stopped(int vcpu);
}
