package org.javisor.interpreter;

import org.javisor.hypervisor.CpuidTable;
import org.javisor.x86.Instruction;

/**
 * The extensions of the instruction set that CPUID may leave out and whose absence a program
 * notices by what their encodings do instead. Vector instructions need no such care: without AVX in
 * CPUID, XCR0 cannot enable them.
 */
final class Extensions {
    static final Extensions ALL = new Extensions();

    private final boolean lzcnt;
    private final boolean bmi1;
    private final boolean bmi2;
    private final boolean movbe;
    private final boolean adx;
    private final long xcr0;

    private Extensions() {
        lzcnt = true;
        bmi1 = true;
        bmi2 = true;
        movbe = true;
        adx = true;
        xcr0 = 7;
    }

    Extensions(CpuidTable cpuid) {
        CpuidTable.Leaf structured = cpuid.query(7, 0);
        boolean leaf7 = cpuid.query(0, 0).eax() >= 7;
        lzcnt = bit(cpuid.query(0x80000001, 0).ecx(), 5);
        bmi1 = leaf7 && bit(structured.ebx(), 3);
        bmi2 = leaf7 && bit(structured.ebx(), 8);
        movbe = bit(cpuid.query(1, 0).ecx(), 22);
        adx = leaf7 && bit(structured.ebx(), 19);
        CpuidTable.Leaf components = cpuid.query(0xd, 0);
        xcr0 = components.eax() & 0xffffffffL | (long) components.edx() << 32;
    }

    private static boolean bit(int register, int bit) {
        return (register >>> bit & 1) != 0;
    }

    /** The components of XSAVE, the bits that XCR0 may have. */
    long xcr0() {
        return xcr0;
    }

    boolean include(Instruction i) {
        return switch (i.op) {
            case LZCNT -> lzcnt;
            case TZCNT, ANDN, BEXTR, BLSI, BLSMSK, BLSR -> bmi1;
            case BZHI, PDEP, PEXT, MULX, RORX, SARX, SHLX, SHRX -> bmi2;
            case MOVBE -> movbe;
            case ADCX, ADOX -> adx;
            default -> true;
        };
    }
}
