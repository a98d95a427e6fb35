package org.javisor.device;

/**
 * A local APIC's snapshot.
 *
 * @param base IA32_APIC_BASE
 * @param errors those gathered since the error status register was last written
 * @param lvt timer, thermal, performance, LINT0, LINT1, error
 * @param irr 256 bits, as {@code isr} and {@code tmr}
 * @param externalLatched an ExtINT message has arrived and awaits its acknowledge cycle
 * @param initRequested an INIT has arrived that the processor has not yet seen
 */
public record LocalApicState(
        int version,
        long base,
        int tpr,
        int logicalDestination,
        int destinationFormat,
        int spurious,
        int errorStatus,
        int errors,
        long interruptCommand,
        int[] lvt,
        long[] irr,
        long[] isr,
        long[] tmr,
        boolean externalLatched,
        boolean initRequested,
        Timer timer)
        implements DeviceState {
    /**
     * The timer.
     *
     * @param elapsedNanos since the initial count was written
     * @param running whether a one-shot count is yet to expire
     * @param deadline in TSC ticks, 0 if disarmed
     */
    public record Timer(
            int initialCount, int divide, long elapsedNanos, boolean running, long deadline) {}
}
