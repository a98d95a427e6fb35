package org.javisor.interpreter;

import static org.javisor.x86.Instruction.GPR_HIGH;
import static org.javisor.x86.Instruction.MEM;

import org.javisor.x86.Crc32c;
import org.javisor.x86.Instruction;
import org.javisor.x86.StringCompare;

/** The string and text instructions of SSE4.2 and CRC32. */
final class StringCompareHandlers {
    private StringCompareHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case PCMPESTRI -> (c, j) -> compare(c, j, true, true);
            case PCMPESTRM -> (c, j) -> compare(c, j, true, false);
            case PCMPISTRI -> (c, j) -> compare(c, j, false, true);
            case PCMPISTRM -> (c, j) -> compare(c, j, false, false);
            case CRC32 -> StringCompareHandlers::crc32;
            default -> null;
        };
    }

    private static void compare(Cpu c, Instruction i, boolean explicit, boolean index) {
        c.requireSse();
        if (i.kind1 == MEM) {
            // These need no alignment, other than nearly all of SSE.
            c.load128(i);
        } else {
            SimdForms.source128(c, i);
        }
        long[] x = c.fpu.xmm;
        long firstLow = x[i.reg0 << 1];
        long firstHigh = x[(i.reg0 << 1) + 1];
        int control = (int) i.imm & 0xff;
        int firstLength;
        int length;
        if (explicit) {
            boolean wide = i.operandSize == 8;
            firstLength =
                    StringCompare.explicitLength(
                            wide ? c.gpr[Cpu.RAX] : (int) c.gpr[Cpu.RAX], control);
            length =
                    StringCompare.explicitLength(
                            wide ? c.gpr[Cpu.RDX] : (int) c.gpr[Cpu.RDX], control);
        } else {
            firstLength = StringCompare.implicitLength(firstLow, firstHigh, control);
            length = StringCompare.implicitLength(c.lo, c.hi, control);
        }
        int result =
                StringCompare.compare(
                        firstLow, firstHigh, firstLength, c.lo, c.hi, length, control);
        if (index) {
            c.gpr[Cpu.RCX] = StringCompare.index(result, control);
        } else {
            SimdForms.set(
                    x,
                    0,
                    StringCompare.mask(result, control, 0),
                    StringCompare.mask(result, control, 1));
        }
        int most = StringCompare.elements(control);
        c.flags.setArithmetic(
                (result != 0 ? Flags.CF : 0)
                        | (length < most ? Flags.ZF : 0)
                        | (firstLength < most ? Flags.SF : 0)
                        | ((result & 1) != 0 ? Flags.OF : 0));
    }

    private static void crc32(Cpu c, Instruction i) {
        int size = i.operandSize;
        long data;
        if (i.kind1 == MEM) {
            data = c.load(i, size);
        } else {
            data = i.kind1 == GPR_HIGH ? c.gpr[i.reg1] >>> 8 : c.gpr[i.reg1];
        }
        c.gpr[i.reg0] = Crc32c.update((int) c.gpr[i.reg0], data, size) & 0xffffffffL;
    }
}
