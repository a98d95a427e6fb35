package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Shifts and rotates: which method of {@link Shifts} on which operands. */
final class ShiftHandlers {
    private ShiftHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case SHL, SHR, SAR, ROL, ROR -> {
                Handler direct = i.kind0 == Instruction.MEM ? null : register(i);
                yield direct == null ? general(i) : direct;
            }
            case RCL, RCR -> general(i);
            case SHLD, SHRD ->
                    i.kind0 == Instruction.MEM
                            ? ShiftHandlers::doubleMemory
                            : ShiftHandlers::doubleRegister;
            default -> null;
        };
    }

    private static Handler general(Instruction i) {
        return i.kind0 == Instruction.MEM
                ? ShiftHandlers::shiftMemory
                : ShiftHandlers::shiftRegister;
    }

    private static Handler register(Instruction i) {
        boolean immediate = i.kind1 == Instruction.IMM;
        if (i.operandSize == 8) {
            return switch (i.op) {
                case SHL -> immediate ? ShiftHandlers::shl64Imm : ShiftHandlers::shl64Cl;
                case SHR -> immediate ? ShiftHandlers::shr64Imm : ShiftHandlers::shr64Cl;
                case SAR -> immediate ? ShiftHandlers::sar64Imm : ShiftHandlers::sar64Cl;
                case ROL -> immediate ? ShiftHandlers::rol64Imm : null;
                default -> immediate ? ShiftHandlers::ror64Imm : null;
            };
        }
        if (i.operandSize == 4) {
            return switch (i.op) {
                case SHL -> immediate ? ShiftHandlers::shl32Imm : ShiftHandlers::shl32Cl;
                case SHR -> immediate ? ShiftHandlers::shr32Imm : ShiftHandlers::shr32Cl;
                case SAR -> immediate ? ShiftHandlers::sar32Imm : ShiftHandlers::sar32Cl;
                case ROL -> immediate ? ShiftHandlers::rol32Imm : null;
                default -> immediate ? ShiftHandlers::ror32Imm : null;
            };
        }
        return null;
    }

    private static void shl64Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shl(c, 8, c.gpr[i.reg0], i.imm);
    }

    private static void shl64Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shl(c, 8, c.gpr[i.reg0], c.gpr[Cpu.RCX]);
    }

    private static void shl32Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shl(c, 4, c.gpr[i.reg0] & 0xffffffffL, i.imm);
    }

    private static void shl32Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shl(c, 4, c.gpr[i.reg0] & 0xffffffffL, c.gpr[Cpu.RCX]);
    }

    private static void shr64Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shr(c, 8, c.gpr[i.reg0], i.imm);
    }

    private static void shr64Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shr(c, 8, c.gpr[i.reg0], c.gpr[Cpu.RCX]);
    }

    private static void shr32Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shr(c, 4, c.gpr[i.reg0] & 0xffffffffL, i.imm);
    }

    private static void shr32Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.shr(c, 4, c.gpr[i.reg0] & 0xffffffffL, c.gpr[Cpu.RCX]);
    }

    private static void sar64Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.sar(c, 8, c.gpr[i.reg0], i.imm);
    }

    private static void sar64Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.sar(c, 8, c.gpr[i.reg0], c.gpr[Cpu.RCX]);
    }

    private static void sar32Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.sar(c, 4, c.gpr[i.reg0] & 0xffffffffL, i.imm);
    }

    private static void sar32Cl(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.sar(c, 4, c.gpr[i.reg0] & 0xffffffffL, c.gpr[Cpu.RCX]);
    }

    private static void rol64Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.rol(c, 8, c.gpr[i.reg0], i.imm);
    }

    private static void rol32Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.rol(c, 4, c.gpr[i.reg0] & 0xffffffffL, i.imm);
    }

    private static void ror64Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.ror(c, 8, c.gpr[i.reg0], i.imm);
    }

    private static void ror32Imm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Shifts.ror(c, 4, c.gpr[i.reg0] & 0xffffffffL, i.imm);
    }

    private static void shiftRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long result = shift(c, i.op, size, c.register(i.kind0, i.reg0, size), c.operand1(i, 1));
        c.setRegister(i.kind0, i.reg0, size, result);
    }

    private static void shiftMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old = c.rmwLoad(i, size);
        c.rmwStore(size, false, old, shift(c, i.op, size, old, c.operand1(i, 1)));
    }

    private static long shift(Cpu c, Op op, int size, long a, long count) {
        return switch (op) {
            case SHL -> Shifts.shl(c, size, a, count);
            case SHR -> Shifts.shr(c, size, a, count);
            case SAR -> Shifts.sar(c, size, a, count);
            case ROL -> Shifts.rol(c, size, a, count);
            case ROR -> Shifts.ror(c, size, a, count);
            case RCL -> Shifts.rcl(c, size, a, count);
            default -> Shifts.rcr(c, size, a, count);
        };
    }

    private static void doubleRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.setRegister(
                i.kind0, i.reg0, size, doubleShift(c, i, size, c.register(i.kind0, i.reg0, size)));
    }

    private static void doubleMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old = c.rmwLoad(i, size);
        c.rmwStore(size, false, old, doubleShift(c, i, size, old));
    }

    private static long doubleShift(Cpu c, Instruction i, int size, long a) {
        long b = c.register(i.kind1, i.reg1, size);
        long count = i.kind2 == Instruction.IMM ? i.imm : c.gpr[Cpu.RCX];
        return i.op == Op.SHLD
                ? Shifts.shld(c, size, a, b, count)
                : Shifts.shrd(c, size, a, b, count);
    }
}
