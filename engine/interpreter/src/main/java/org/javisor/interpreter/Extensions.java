package org.javisor.interpreter;

import org.javisor.hypervisor.CpuFeature;
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
        lzcnt = CpuFeature.ABM.in(cpuid);
        bmi1 = CpuFeature.BMI1.in(cpuid);
        bmi2 = CpuFeature.BMI2.in(cpuid);
        movbe = CpuFeature.MOVBE.in(cpuid);
        adx = CpuFeature.ADX.in(cpuid);
        boolean xsave = CpuFeature.XSAVE.in(cpuid);
        xcr0 = xsave ? cpuid.query(0xd, 0).eax() & 0xffffffffL : 0;
    }

    /** The components of XSAVE, the bits that XCR0 may have; 0 without XSAVE. */
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
