package org.javisor.x86;

/** The bits of MXCSR (Intel SDM vol. 1, 10.2.3). */
public final class Mxcsr {
    public static final int IE = 1;
    public static final int DE = 2;
    public static final int ZE = 4;
    public static final int OE = 8;
    public static final int UE = 0x10;
    public static final int PE = 0x20;
    public static final int FLAGS = 0x3f;

    /** Denormal operands are zeros. */
    public static final int DAZ = 0x40;

    /** The masks stand in the order of the flags, this many bits above them. */
    public static final int MASK_SHIFT = 7;

    public static final int MASKS = FLAGS << MASK_SHIFT;

    /** Rounding control: 0 nearest even, 1 down, 2 up, 3 towards zero. */
    public static final int RC_SHIFT = 13;

    public static final int RC = 3 << RC_SHIFT;

    /** Tiny results are zeros. */
    public static final int FTZ = 0x8000;

    public static final int NEAREST = 0;
    public static final int DOWN = 1;
    public static final int UP = 2;
    public static final int ZERO = 3;

    private Mxcsr() {}

    /**
     * Notes exceptions. With all of them masked they go to MXCSR at once; else they wait in {@link
     * FpuState#raised} until {@link #settle}.
     */
    static void raise(FpuState f, int flags) {
        if ((f.mxcsr & MASKS) == MASKS) {
            f.mxcsr |= flags;
        } else {
            f.raised |= flags;
        }
    }

    /**
     * Ends an instruction that has raised exceptions while some are unmasked (Intel SDM vol. 1,
     * 11.5.2 and 11.5.3): moves the flags to MXCSR. An unmasked invalid, denormal or divide-by-zero
     * exception in any lane is found before anything is calculated, so that the flags of results do
     * not appear.
     *
     * @return whether an unmasked exception was raised: the destination must not be written, and
     *     #XM follows
     */
    public static boolean settle(FpuState f) {
        int raised = f.raised;
        f.raised = 0;
        int unmasked = ~(f.mxcsr >> MASK_SHIFT) & FLAGS;
        int before = IE | DE | ZE;
        if ((raised & unmasked & before) != 0) {
            f.mxcsr |= raised & before;
            return true;
        }
        f.mxcsr |= raised;
        return (raised & unmasked) != 0;
    }
}
