package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * ADD to TEST, NOT, NEG, INC, DEC: the forms and sizes that {@link Alu32Handlers} and {@link
 * Alu64Handlers} leave.
 */
final class AluHandlers {
    private AluHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case ADD, OR, ADC, SBB, AND, SUB, XOR ->
                    switch (i.operandSize) {
                        case 8 -> Alu64Handlers.select(i);
                        case 4 -> Alu32Handlers.select(i);
                        default ->
                                i.kind0 == Instruction.MEM
                                        ? AluHandlers::modifyMemory
                                        : AluHandlers::modifyRegister;
                    };
            case CMP, TEST ->
                    switch (i.operandSize) {
                        case 8 -> Alu64Handlers.select(i);
                        case 4 -> Alu32Handlers.select(i);
                        case 2 -> i.op == Op.CMP ? AluHandlers::cmp16 : AluHandlers::test16;
                        default -> bytes(i);
                    };
            case INC, DEC, NEG, NOT ->
                    i.kind0 == Instruction.MEM ? unaryMemory(i.op) : unaryRegister(i);
            default -> null;
        };
    }

    private static Handler bytes(Instruction i) {
        boolean cmp = i.op == Op.CMP;
        if (i.kind1 == Instruction.IMM) {
            if (i.kind0 == Instruction.MEM) {
                return cmp ? AluHandlers::cmp8MemImm : AluHandlers::test8MemImm;
            }
            if (i.kind0 == Instruction.GPR) {
                return cmp ? AluHandlers::cmp8RegImm : AluHandlers::test8RegImm;
            }
        }
        if (i.kind0 == Instruction.GPR && i.kind1 == Instruction.GPR) {
            return cmp ? AluHandlers::cmp8RegReg : AluHandlers::test8RegReg;
        }
        return cmp ? AluHandlers::cmp8 : AluHandlers::test8;
    }

    private static Handler unaryRegister(Instruction i) {
        return switch (i.operandSize) {
            case 8 ->
                    switch (i.op) {
                        case INC -> AluHandlers::inc64;
                        case DEC -> AluHandlers::dec64;
                        case NEG -> AluHandlers::neg64;
                        default -> AluHandlers::not64;
                    };
            case 4 ->
                    switch (i.op) {
                        case INC -> AluHandlers::inc32;
                        case DEC -> AluHandlers::dec32;
                        case NEG -> AluHandlers::neg32;
                        default -> AluHandlers::not32;
                    };
            default -> AluHandlers::modifyNarrowRegister;
        };
    }

    private static Handler unaryMemory(Op op) {
        return switch (op) {
            case INC -> AluHandlers::incMem;
            case DEC -> AluHandlers::decMem;
            case NEG -> AluHandlers::negMem;
            default -> AluHandlers::notMem;
        };
    }

    // ADD to XOR on 8 and 16 bits

    private static void modifyRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long result = binary(c, i.op, size, c.register(i.kind0, i.reg0, size), c.operand1(i, size));
        c.setRegister(i.kind0, i.reg0, size, result);
    }

    private static void modifyMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long b = c.operand1(i, size);
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, size);
        while (!c.rmwStore(size, i.lock(), old, binary(c, i.op, size, old, b))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, size);
        }
    }

    private static long binary(Cpu c, Op op, int size, long a, long b) {
        return switch (op) {
            case ADD -> Arithmetic.add(c, size, a, b);
            case OR -> Arithmetic.or(c, size, a, b);
            case ADC -> Arithmetic.adc(c, size, a, b);
            case SBB -> Arithmetic.sbb(c, size, a, b);
            case AND -> Arithmetic.and(c, size, a, b);
            case SUB -> Arithmetic.sub(c, size, a, b);
            default -> Arithmetic.xor(c, size, a, b);
        };
    }

    // CMP and TEST on 8 and 16 bits

    private static void cmp8MemImm(Cpu c, Instruction i) {
        Arithmetic.sub(c, 1, c.load8(i), i.imm);
    }

    private static void cmp8RegImm(Cpu c, Instruction i) {
        Arithmetic.sub(c, 1, c.gpr[i.reg0], i.imm);
    }

    private static void cmp8RegReg(Cpu c, Instruction i) {
        Arithmetic.sub(c, 1, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void cmp8(Cpu c, Instruction i) {
        Arithmetic.sub(c, 1, c.operand0(i, 1), c.operand1(i, 1));
    }

    private static void cmp16(Cpu c, Instruction i) {
        Arithmetic.sub(c, 2, c.operand0(i, 2), c.operand1(i, 2));
    }

    private static void test8MemImm(Cpu c, Instruction i) {
        Arithmetic.and(c, 1, c.load8(i), i.imm);
    }

    private static void test8RegImm(Cpu c, Instruction i) {
        Arithmetic.and(c, 1, c.gpr[i.reg0], i.imm);
    }

    private static void test8RegReg(Cpu c, Instruction i) {
        Arithmetic.and(c, 1, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void test8(Cpu c, Instruction i) {
        Arithmetic.and(c, 1, c.operand0(i, 1), c.operand1(i, 1));
    }

    private static void test16(Cpu c, Instruction i) {
        Arithmetic.and(c, 2, c.operand0(i, 2), c.operand1(i, 2));
    }

    // INC, DEC, NEG, NOT

    private static void inc64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.inc(c, 8, c.gpr[i.reg0]);
    }

    private static void inc32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.inc(c, 4, c.gpr[i.reg0]);
    }

    private static void dec64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.dec(c, 8, c.gpr[i.reg0]);
    }

    private static void dec32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.dec(c, 4, c.gpr[i.reg0]);
    }

    private static void neg64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.neg(c, 8, c.gpr[i.reg0]);
    }

    private static void neg32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.neg(c, 4, c.gpr[i.reg0]);
    }

    private static void not64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = ~c.gpr[i.reg0];
    }

    private static void not32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = ~c.gpr[i.reg0] & 0xffffffffL;
    }

    private static void modifyNarrowRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long a = c.register(i.kind0, i.reg0, size);
        long result =
                switch (i.op) {
                    case INC -> Arithmetic.inc(c, size, a);
                    case DEC -> Arithmetic.dec(c, size, a);
                    case NEG -> Arithmetic.neg(c, size, a);
                    default -> ~a;
                };
        c.setRegister(i.kind0, i.reg0, size, result);
    }

    private static void incMem(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, Arithmetic.inc(c, size, old)));
    }

    private static void decMem(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, Arithmetic.dec(c, size, old)));
    }

    private static void negMem(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, Arithmetic.neg(c, size, old)));
    }

    private static void notMem(Cpu c, Instruction i) {
        int size = i.operandSize;
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, ~old & Cpu.mask(size)));
    }
}
