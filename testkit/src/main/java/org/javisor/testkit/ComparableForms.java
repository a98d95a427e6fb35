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
            case TZCNT, LZCNT, MOVBE, ADCX, ADOX, MOVDIRI, MOVDIR64B, INVPCID -> false;
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

    /** Whether the form's operation is one of the x87's. */
    static boolean isX87(Op op) {
        return op.compareTo(Op.FLD) >= 0 && op.compareTo(Op.FNOP) <= 0;
    }
}
