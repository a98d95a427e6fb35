package org.javisor.translator;

/**
 * Which host register holds which guest register. Most keep their own number. The host's RSP stays
 * a stack, so the guest's lives in R13; RCX, which alone can be tested without touching flags, and
 * R14 are scratch, so the guest's RCX lives in R15 and three registers that compilers use last stay
 * in the {@link ProcessorBlock}.
 */
final class Gpr {
    /** Scratch: becomes the host address of a memory operand. */
    static final int ADDRESS = Assembler.R14;

    /** Scratch. */
    static final int SCRATCH = Assembler.RCX;

    static final int RSP = Assembler.R13;
    static final int RCX = Assembler.R15;

    /** In the processor block only. */
    static final int SPILLED = -1;

    private static final int[] HOST = {
        Assembler.RAX,
        RCX,
        Assembler.RDX,
        Assembler.RBX,
        RSP,
        Assembler.RBP,
        Assembler.RSI,
        Assembler.RDI,
        Assembler.R8,
        Assembler.R9,
        Assembler.R10,
        Assembler.R11,
        Assembler.R12,
        SPILLED,
        SPILLED,
        SPILLED
    };

    private Gpr() {}

    /** The host register of a guest register, or {@link #SPILLED}. */
    static int host(int guest) {
        return HOST[guest];
    }
}
