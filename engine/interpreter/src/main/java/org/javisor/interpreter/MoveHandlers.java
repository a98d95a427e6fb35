package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * MOV but for control and debug registers and loads of segment registers, MOVZX, MOVSX, LEA, XLAT,
 * MOVNTI.
 */
final class MoveHandlers {
    private MoveHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case MOV -> mov(i);
            case MOVZX -> movzx(i);
            case MOVSX, MOVSXD -> movsx(i);
            case LEA ->
                    switch (i.operandSize) {
                        case 8 -> MoveHandlers::lea64;
                        case 4 -> MoveHandlers::lea32;
                        default -> MoveHandlers::lea16;
                    };
            case XLAT -> MoveHandlers::xlat;
            case MOVNTI ->
                    i.operandSize == 8 ? MoveHandlers::mov64MemReg : MoveHandlers::mov32MemReg;
            default -> null;
        };
    }

    private static Handler mov(Instruction i) {
        if (i.kind0 == Instruction.SEG || special(i.kind0) || special(i.kind1)) {
            return null;
        }
        if (i.kind1 == Instruction.SEG) {
            return i.kind0 == Instruction.MEM
                    ? MoveHandlers::storeSelector
                    : MoveHandlers::readSelector;
        }
        return switch (i.operandSize) {
            case 8 -> mov64(i);
            case 4 -> mov32(i);
            case 2 -> mov16(i);
            default -> mov8(i);
        };
    }

    private static boolean special(int kind) {
        return kind == Instruction.CR || kind == Instruction.DR;
    }

    private static Handler mov64(Instruction i) {
        if (i.kind0 == Instruction.MEM) {
            return i.kind1 == Instruction.IMM
                    ? MoveHandlers::mov64MemImm
                    : MoveHandlers::mov64MemReg;
        }
        return switch (i.kind1) {
            case Instruction.MEM -> MoveHandlers::mov64RegMem;
            case Instruction.IMM -> MoveHandlers::mov64RegImm;
            default -> MoveHandlers::mov64RegReg;
        };
    }

    private static Handler mov32(Instruction i) {
        if (i.kind0 == Instruction.MEM) {
            return i.kind1 == Instruction.IMM
                    ? MoveHandlers::mov32MemImm
                    : MoveHandlers::mov32MemReg;
        }
        return switch (i.kind1) {
            case Instruction.MEM -> MoveHandlers::mov32RegMem;
            case Instruction.IMM -> MoveHandlers::mov32RegImm;
            default -> MoveHandlers::mov32RegReg;
        };
    }

    private static Handler mov16(Instruction i) {
        if (i.kind0 == Instruction.MEM) {
            return i.kind1 == Instruction.IMM
                    ? MoveHandlers::mov16MemImm
                    : MoveHandlers::mov16MemReg;
        }
        return MoveHandlers::mov16Reg;
    }

    private static Handler mov8(Instruction i) {
        if (i.kind0 == Instruction.MEM) {
            return switch (i.kind1) {
                case Instruction.IMM -> MoveHandlers::mov8MemImm;
                case Instruction.GPR -> MoveHandlers::mov8MemReg;
                default -> MoveHandlers::mov8MemHigh;
            };
        }
        return i.kind0 == Instruction.GPR && i.kind1 == Instruction.MEM
                ? MoveHandlers::mov8RegMem
                : MoveHandlers::mov8Reg;
    }

    private static void mov64RegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.gpr[i.reg1];
    }

    private static void mov64RegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = i.imm;
    }

    private static void mov64RegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.load64(i);
    }

    private static void mov64MemReg(Cpu c, Instruction i) {
        c.store64(i, c.gpr[i.reg1]);
    }

    private static void mov64MemImm(Cpu c, Instruction i) {
        c.store64(i, i.imm);
    }

    private static void mov32RegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.gpr[i.reg1] & 0xffffffffL;
    }

    private static void mov32RegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = i.imm & 0xffffffffL;
    }

    private static void mov32RegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.load32(i) & 0xffffffffL;
    }

    private static void mov32MemReg(Cpu c, Instruction i) {
        c.store32(i, (int) c.gpr[i.reg1]);
    }

    private static void mov32MemImm(Cpu c, Instruction i) {
        c.store32(i, (int) i.imm);
    }

    private static void mov16Reg(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, 2, c.operand1(i, 2));
    }

    private static void mov16MemReg(Cpu c, Instruction i) {
        c.store16(i, (int) c.gpr[i.reg1]);
    }

    private static void mov16MemImm(Cpu c, Instruction i) {
        c.store16(i, (int) i.imm);
    }

    private static void mov8Reg(Cpu c, Instruction i) {
        c.setRegister(i.kind0, i.reg0, 1, c.operand1(i, 1));
    }

    private static void mov8RegMem(Cpu c, Instruction i) {
        int value = c.load8(i);
        c.gpr[i.reg0] = c.gpr[i.reg0] & ~0xffL | value;
    }

    private static void mov8MemReg(Cpu c, Instruction i) {
        c.store8(i, (int) c.gpr[i.reg1]);
    }

    private static void mov8MemHigh(Cpu c, Instruction i) {
        c.store8(i, (int) (c.gpr[i.reg1] >>> 8));
    }

    private static void mov8MemImm(Cpu c, Instruction i) {
        c.store8(i, (int) i.imm);
    }

    private static void readSelector(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, i.operandSize, c.segments.selector[i.reg1]);
    }

    private static void storeSelector(Cpu c, Instruction i) {
        c.store16(i, c.segments.selector[i.reg1]);
    }

    // With extension. The source's size stands in memorySize, for registers too.

    private static Handler movzx(Instruction i) {
        boolean bytes = i.memorySize == 1;
        if (i.operandSize == 2) {
            return MoveHandlers::movzx16;
        }
        return switch (i.kind1) {
            case Instruction.MEM -> bytes ? MoveHandlers::movzxByteMem : MoveHandlers::movzxWordMem;
            case Instruction.GPR -> bytes ? MoveHandlers::movzxByteReg : MoveHandlers::movzxWordReg;
            default -> MoveHandlers::movzxHigh;
        };
    }

    private static void movzxByteMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.load8(i);
    }

    private static void movzxWordMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.load16(i);
    }

    private static void movzxByteReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.gpr[i.reg1] & 0xff;
    }

    private static void movzxWordReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.gpr[i.reg1] & 0xffff;
    }

    private static void movzxHigh(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.gpr[i.reg1] >>> 8 & 0xff;
    }

    private static void movzx16(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, 2, c.operand1(i, i.memorySize));
    }

    private static Handler movsx(Instruction i) {
        if (i.operandSize != 8) {
            return MoveHandlers::movsxNarrow;
        }
        if (i.kind1 == Instruction.MEM) {
            return switch (i.memorySize) {
                case 1 -> MoveHandlers::movsx64ByteMem;
                case 2 -> MoveHandlers::movsx64WordMem;
                default -> MoveHandlers::movsx64DwordMem;
            };
        }
        return i.memorySize == 4 ? MoveHandlers::movsx64DwordReg : MoveHandlers::movsx64Reg;
    }

    private static void movsx64ByteMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = (byte) c.load8(i);
    }

    private static void movsx64WordMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = (short) c.load16(i);
    }

    private static void movsx64DwordMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.load32(i);
    }

    private static void movsx64DwordReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = (int) c.gpr[i.reg1];
    }

    private static void movsx64Reg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = signExtended(c, i);
    }

    private static void movsxNarrow(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, i.operandSize, signExtended(c, i));
    }

    private static long signExtended(Cpu c, Instruction i) {
        int unused = 64 - (i.memorySize << 3);
        return c.operand1(i, i.memorySize) << unused >> unused;
    }

    // Addresses

    private static void lea64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.effectiveAddress(i);
    }

    private static void lea32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = c.effectiveAddress(i) & 0xffffffffL;
    }

    private static void lea16(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, 2, c.effectiveAddress(i));
    }

    private static void xlat(Cpu c, Instruction i) {
        long offset = c.gpr[Cpu.RBX] + (c.gpr[Cpu.RAX] & 0xff) & Cpu.mask(i.addressSize);
        c.setRegister(Instruction.GPR, Cpu.RAX, 1, c.load8(i.segment, offset));
    }
}
