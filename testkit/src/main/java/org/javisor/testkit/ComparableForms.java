package org.javisor.testkit;

import java.util.List;
import org.javisor.testkit.InstructionForm.Shape;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Op;

/**
 * The instruction forms that the host's processor and a guest can be compared on, and why not the
 * others.
 */
final class ComparableForms {
    private ComparableForms() {}

    static List<InstructionForm> all(CodeSize size) {
        return InstructionForm.all(size).stream().filter(ComparableForms::comparable).toList();
    }

    /** The VEX encodings, if the host has what x86-64-v3 has, and AES and PCLMULQDQ on vectors. */
    static List<VexForm> vex(CodeSize size) {
        boolean host = HostProcessor.has("avx2") && HostProcessor.has("fma");
        host &= HostProcessor.has("f16c") && HostProcessor.has("bmi2");
        host &= HostProcessor.has("vaes") && HostProcessor.has("vpclmulqdq");
        return host ? VexForm.all(size) : List.of();
    }

    private static boolean comparable(InstructionForm form) {
        boolean near =
                switch (form.op()) {
                    case CALL, JMP, RET, JCC, LOOP, LOOPE, LOOPNE, JCXZ -> true;
                    default -> false;
                };
        if (near && form.prefixes().contains(0x66)) {
            // Cuts the instruction pointer, in 64-bit code on AMD's processors only.
            return false;
        }
        return switch (form.op()) {
            // Differ by what they read: the model, the time, chance.
            case CPUID, RDTSC, RDTSCP, RDPMC, RDPID, RDRAND, RDSEED, XGETBV -> false;
            // The model under test does not offer them, whatever the host does.
            case MOVDIRI, MOVDIR64B, INVPCID -> false;
            case TZCNT -> HostProcessor.has("bmi1");
            case LZCNT -> HostProcessor.has("abm");
            case MOVBE -> HostProcessor.has("movbe");
            case ADCX, ADOX -> HostProcessor.has("adx");
            case XSAVES, XRSTORS, SERIALIZE, MONITOR, MWAIT -> false;
            // Enter the host's kernel or hypervisor.
            case SYSCALL, SYSRET, SYSENTER, SYSEXIT, INT, INT1, INT3, INTO, IRET -> false;
            case VMCALL, VMMCALL, VMRUN, VMLAUNCH, VMRESUME, VMXOFF, VMREAD, VMWRITE, RSM -> false;
            // Linux carries them out for the program.
            case SGDT, SIDT, SLDT, STR, SMSW -> false;
            // Far transfers and loads of FS and GS change what the host's runtime lives on.
            case JMP_FAR, CALL_FAR, RET_FAR, LDS, LES, LFS, LGS, LSS -> false;
            // What it writes depends on what XRSTOR did before.
            case XSAVEOPT -> false;
            // Undefined on AMD's processors, not on Intel's.
            case NOP -> form.shape() == Shape.PLAIN || form.opcode().getLast() != 0x0d;
            // An undocumented alias that does not report underflow.
            case FSTP -> form.opcode().getLast() != 0xd9 || form.shape() == Shape.MEMORY;
            // With 66h the source has 16 bits on Intel's processors, 32 on AMD's.
            case MOVSXD -> !form.prefixes().contains(0x66);
            case MOV -> !loadsFsOrGs(form);
            case POP -> !popsSegment(form);
            default -> true;
        };
    }

    private static boolean loadsFsOrGs(InstructionForm form) {
        return form.opcode().equals(List.of(0x8e)) && form.reg() >= 4;
    }

    private static boolean popsSegment(InstructionForm form) {
        int last = form.opcode().getLast();
        boolean escaped = form.opcode().size() > 1;
        return form.shape() == Shape.PLAIN
                && (escaped || last == 0x07 || last == 0x17 || last == 0x1f);
    }

    /**
     * Whether a form can stand in a sequence: it neither faults as a rule nor leaves results, other
     * than flags, undefined or approximate, nor takes addresses from registers of its own.
     */
    static boolean sequential(InstructionForm form) {
        return switch (form.op()) {
            case CALL, JMP, RET, JCC, LOOP, LOOPE, LOOPNE, JCXZ -> false;
            case PUSH, POP, PUSHF, POPF, ENTER, LEAVE -> false;
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS, XLAT, MASKMOVQ, MASKMOVDQU -> false;
            case HLT, IN, OUT, CLI, STI, CLTS, LGDT, LIDT, LLDT, LTR, LMSW -> false;
            case INVLPG, INVD, WBINVD, WBNOINVD, RDMSR, WRMSR, SWAPGS, XSETBV, CLAC, STAC -> false;
            case UD0, UD1, UD2, LAR, LSL, VERR, VERW, WRFSBASE, WRGSBASE, CLD, STD -> false;
            case FXSAVE, FXRSTOR, XSAVE, XSAVEC, XRSTOR, LDMXCSR -> false;
            case FNSTSW, FNSTENV, FLDENV, FNSAVE, FRSTOR, FLDCW, FBLD -> false;
            case FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1 -> false;
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS -> false;
            // AMD's processors do not insist on alignment.
            case SHA1RNDS4, SHA1NEXTE, SHA1MSG1, SHA1MSG2 -> form.shape() != Shape.MEMORY;
            case SHA256RNDS2, SHA256MSG1, SHA256MSG2 -> form.shape() != Shape.MEMORY;
            case SHLD, SHRD, BSWAP -> !form.prefixes().contains(0x66);
            // With a register as its offset it reaches far.
            case BT, BTS, BTR, BTC -> form.reg() >= 0 || form.shape() != Shape.MEMORY;
            case MOV -> plainMove(form);
            default -> true;
        };
    }

    private static boolean plainMove(InstructionForm form) {
        int code = form.opcode().getLast();
        boolean absolute = form.opcode().size() == 1 && code >= 0xa0 && code <= 0xa3;
        boolean special = form.opcode().size() > 1 || code == 0x8e;
        return !absolute && !special;
    }

    static boolean leavesFlagsUndefined(Op op) {
        return switch (op) {
            case AND, OR, XOR, TEST, MUL, IMUL, IMUL2, DIV, IDIV -> true;
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> true;
            case BSF, BSR, BT, BTS, BTR, BTC, TZCNT, LZCNT -> true;
            default -> false;
        };
    }

    /** Whether the form's operation is one of the x87's. */
    static boolean isX87(Op op) {
        return op.compareTo(Op.FLD) >= 0 && op.compareTo(Op.FNOP) <= 0;
    }
}
