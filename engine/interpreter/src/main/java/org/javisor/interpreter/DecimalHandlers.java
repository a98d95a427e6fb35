package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * Adjustments of packed and unpacked decimal digits; not in 64-bit code (Intel SDM vol. 2, AAA to
 * DAS).
 */
final class DecimalHandlers {
    private DecimalHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case AAA -> DecimalHandlers::aaa;
            case AAS -> DecimalHandlers::aas;
            case AAM -> DecimalHandlers::aam;
            case AAD -> DecimalHandlers::aad;
            case DAA -> DecimalHandlers::daa;
            case DAS -> DecimalHandlers::das;
            default -> null;
        };
    }

    private static void aaa(Cpu c, Instruction i) {
        adjustUnpacked(c, 0x106);
    }

    private static void aas(Cpu c, Instruction i) {
        adjustUnpacked(c, -0x106);
    }

    private static void adjustUnpacked(Cpu c, int correction) {
        int ax = (int) c.gpr[Cpu.RAX] & 0xffff;
        boolean adjust = (ax & 15) > 9 || c.flags.af();
        if (adjust) {
            ax += correction;
        }
        setAx(c, ax & 0xff0f);
        setResult(c, ax & 15, adjust, adjust);
    }

    private static void aam(Cpu c, Instruction i) {
        int base = (int) i.imm & 0xff;
        if (base == 0) {
            throw GuestFault.of(GuestFault.DE);
        }
        int al = (int) c.gpr[Cpu.RAX] & 0xff;
        setAx(c, al / base << 8 | al % base);
        setResult(c, al % base, false, false);
    }

    private static void aad(Cpu c, Instruction i) {
        int ax = (int) c.gpr[Cpu.RAX] & 0xffff;
        int al = (ax & 0xff) + (ax >> 8) * (int) i.imm & 0xff;
        setAx(c, al);
        setResult(c, al, false, false);
    }

    private static void daa(Cpu c, Instruction i) {
        adjustPacked(c, 1);
    }

    private static void das(Cpu c, Instruction i) {
        adjustPacked(c, -1);
    }

    private static void adjustPacked(Cpu c, int sign) {
        int al = (int) c.gpr[Cpu.RAX] & 0xff;
        boolean carry = al > 0x99 || c.flags.cf();
        boolean low = (al & 15) > 9 || c.flags.af();
        int result = al + (low ? 6 * sign : 0);
        // A borrow out of the low digit's subtraction alone is a carry too.
        boolean borrow = result < 0;
        result += carry ? 0x60 * sign : 0;
        c.setRegister(Instruction.GPR, Cpu.RAX, 1, result);
        setResult(c, result & 0xff, carry || borrow, low);
    }

    private static void setAx(Cpu c, int ax) {
        c.setRegister(Instruction.GPR, Cpu.RAX, 2, ax);
    }

    private static void setResult(Cpu c, int al, boolean carry, boolean auxiliary) {
        c.flags.set((byte) al, carry, false);
        c.setFlags(Flags.AF, auxiliary ? Flags.AF : 0);
    }
}
