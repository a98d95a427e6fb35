package org.javisor.testkit;

/**
 * What an unprivileged instruction can see and change of a processor, and how its execution ended.
 */
public final class UserState {
    /** Bytes of {@link #fpu}. */
    public static final int FPU_SIZE = 832;

    /** Where in {@link #fpu} the header lies and the upper halves of YMM0 to YMM15. */
    static final int XSTATE_BV = 512, YMM = 576;

    /** {@link #vector} of an execution that came to its end. */
    public static final int NO_FAULT = -1;

    static final int PAGE_FAULT = 14;

    /** In encoding order. */
    public final long[] gpr = new long[16];

    public long rip;
    public long flags = 2;

    /**
     * The XSAVE area in standard format with 64-bit pointers (Intel SDM vol. 1, 13.4); its header
     * means nothing.
     */
    public final byte[] fpu = new byte[FPU_SIZE];

    public long fsBase;
    public long gsBase;

    /** The exception that ended the execution; {@link #rip} is then where it was raised. */
    public int vector = NO_FAULT;

    public long errorCode;

    /** CR2 after a page fault, else 0. */
    public long faultAddress;

    /** Takes over everything from another state. */
    public void set(UserState other) {
        System.arraycopy(other.gpr, 0, gpr, 0, gpr.length);
        System.arraycopy(other.fpu, 0, fpu, 0, fpu.length);
        rip = other.rip;
        flags = other.flags;
        fsBase = other.fsBase;
        gsBase = other.gsBase;
        vector = other.vector;
        errorCode = other.errorCode;
        faultAddress = other.faultAddress;
    }
}
