package org.javisor.interpreter;

/**
 * An exception of the guest's processor, thrown out of a {@link Handler} to the run loop. Made in
 * advance and without a stack trace: guests fault often.
 */
final class GuestFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    static final int DE = 0,
            DB = 1,
            NMI = 2,
            BP = 3,
            OF = 4,
            BR = 5,
            UD = 6,
            NM = 7,
            DF = 8,
            TS = 10,
            NP = 11;
    static final int SS = 12, GP = 13, PF = 14, MF = 16, AC = 17, MC = 18, XM = 19;

    private static final int HAVE_ERROR_CODE =
            1 << DF | 1 << TS | 1 << NP | 1 << SS | 1 << GP | 1 << PF | 1 << AC;

    private static final GuestFault[] WITHOUT_CODE = new GuestFault[32];
    private static final GuestFault GP0 = new GuestFault(GP, 0);
    private static final GuestFault SS0 = new GuestFault(SS, 0);

    static {
        for (int vector = 0; vector < 32; vector++) {
            WITHOUT_CODE[vector] = new GuestFault(vector, 0);
        }
    }

    /**
     * A #GP(0) for an address that is not canonical; a #SS(0) if the access was to the stack
     * segment.
     */
    static final GuestFault NON_CANONICAL = new GuestFault(GP, 0);

    final int vector;
    final int errorCode;

    private GuestFault(int vector, int errorCode) {
        super(null, null, false, false);
        this.vector = vector;
        this.errorCode = errorCode;
    }

    /** A fault with error code 0 or none. */
    static GuestFault of(int vector) {
        return WITHOUT_CODE[vector];
    }

    static GuestFault of(int vector, int errorCode) {
        return errorCode == 0 ? WITHOUT_CODE[vector] : new GuestFault(vector, errorCode);
    }

    static GuestFault ud() {
        return WITHOUT_CODE[UD];
    }

    static GuestFault gp0() {
        return GP0;
    }

    static GuestFault ss0() {
        return SS0;
    }

    static boolean hasErrorCode(int vector) {
        return vector < 32 && (HAVE_ERROR_CODE >>> vector & 1) != 0;
    }

    @Override
    public String getMessage() {
        return "Guest exception " + vector + " error " + errorCode;
    }
}
