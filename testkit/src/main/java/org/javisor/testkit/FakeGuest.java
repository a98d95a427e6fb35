package org.javisor.testkit;

import org.javisor.hypervisor.ExitReason;

/** The program of a {@link FakeHypervisor}'s processors. */
@FunctionalInterface
public interface FakeGuest {
    /**
     * Carries out one instruction, so to speak.
     *
     * @param step how many the processor has carried out since its last reset
     * @return {@link ExitReason#REQUESTED} to go on, or why the processor exits
     */
    ExitReason step(FakeVcpu cpu, int step);
}
