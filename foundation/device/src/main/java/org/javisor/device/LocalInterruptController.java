package org.javisor.device;

/**
 * One processor's interrupt controller as that processor sees it: what software engines need of a
 * local APIC (an engine with an in-kernel controller does without). All methods are called on the
 * processor's own thread.
 */
public interface LocalInterruptController {
    /** Before a controller is connected, and beside an engine's own: nothing comes in. */
    LocalInterruptController NONE = NoController.INSTANCE;

    /**
     * Whether {@link #acknowledge()} would return a vector. Cheap: asked at instruction boundaries.
     */
    boolean interruptPending();

    /**
     * The interrupt-acknowledge cycle: the vector to deliver, now in service, or -1 if none is
     * deliverable.
     */
    int acknowledge();

    /** CR8: the task priority, 0 to 15. */
    long cr8();

    void setCr8(long priority);

    /**
     * Whether the controller owns this MSR: IA32_APIC_BASE (1Bh), IA32_TSC_DEADLINE (6E0h), x2APIC
     * (800h-8FFh).
     */
    static boolean ownsMsr(int index) {
        return index == 0x1b || index == 0x6e0 || (index >= 0x800 && index <= 0x8ff);
    }

    /** Whether reading this MSR is legal now; if not, the processor raises #GP. */
    boolean canReadMsr(int index);

    long readMsr(int index);

    /**
     * @return false if the processor must raise #GP: unknown index, reserved bits, illegal mode
     *     change
     */
    boolean writeMsr(int index, long value);

    /**
     * Guest-physical base of the xAPIC register page, or -1 while it is disabled or in x2APIC mode.
     */
    long mmioBase();

    /** xAPIC registers, offsets 0 to FFFh. */
    long readMmio(int offset, int size);

    void writeMmio(int offset, int size, long value);
}
