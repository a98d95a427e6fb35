package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** Instructions on flags and on the accumulator's signs: CLC to STD, LAHF, SAHF, SALC, CBW, CWD. */
final class FlagHandlers {
    private FlagHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case CLC -> FlagHandlers::clc;
            case STC -> FlagHandlers::stc;
            case CMC -> FlagHandlers::cmc;
            case CLD -> FlagHandlers::cld;
            case STD -> FlagHandlers::std;
            case LAHF -> FlagHandlers::lahf;
            case SAHF -> FlagHandlers::sahf;
            case SALC -> FlagHandlers::salc;
            case CBW -> FlagHandlers::cbw;
            case CWD -> FlagHandlers::cwd;
            default -> null;
        };
    }

    private static void clc(Cpu c, Instruction i) {
        c.flags.setCarry(false);
    }

    private static void stc(Cpu c, Instruction i) {
        c.flags.setCarry(true);
    }

    private static void cmc(Cpu c, Instruction i) {
        c.flags.setCarry(!c.flags.cf());
    }

    private static void cld(Cpu c, Instruction i) {
        c.flags.system &= ~Flags.DF;
    }

    private static void std(Cpu c, Instruction i) {
        c.flags.system |= Flags.DF;
    }

    private static void lahf(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR_HIGH, Cpu.RAX, 1, c.flags.value() & 0xff);
    }

    private static void sahf(Cpu c, Instruction i) {
        c.setFlags(Flags.ARITHMETIC & 0xff, (int) (c.gpr[Cpu.RAX] >>> 8));
    }

    private static void salc(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, Cpu.RAX, 1, c.flags.cf() ? 0xff : 0);
    }

    private static void cbw(Cpu c, Instruction i) {
        int unused = 64 - (i.operandSize << 2);
        long value = c.gpr[Cpu.RAX] << unused >> unused;
        c.setRegister(Instruction.GPR, Cpu.RAX, i.operandSize, value);
    }

    private static void cwd(Cpu c, Instruction i) {
        int unused = 64 - (i.operandSize << 3);
        c.setRegister(Instruction.GPR, Cpu.RDX, i.operandSize, c.gpr[Cpu.RAX] << unused >> 63);
    }
}
