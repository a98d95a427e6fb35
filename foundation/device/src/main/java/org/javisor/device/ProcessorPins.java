package org.javisor.device;

/** What an interrupt controller can do to a processor. Callable from any thread; never blocks. */
public interface ProcessorPins {
    /**
     * The processor should ask its {@link LocalInterruptController} again whether an interrupt is
     * pending.
     */
    void interruptRequested();

    void nmi();

    /** INIT: reset, then wait for start-up. */
    void init();

    /** Start-up IPI: begin in real mode at {@code vector << 12}. Ignored unless waiting for it. */
    void startUp(int vector);
}
