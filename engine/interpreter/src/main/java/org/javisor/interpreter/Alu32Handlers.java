package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * The two-operand arithmetic on 32 bits: one method for each operation and operand form, because
 * these are what programs consist of.
 */
final class Alu32Handlers {
    private Alu32Handlers() {}

    static Handler select(Instruction i) {
        if (i.kind0 == Instruction.MEM) {
            return i.kind1 == Instruction.IMM ? memoryImmediate(i) : memoryRegister(i);
        }
        return switch (i.kind1) {
            case Instruction.MEM -> registerMemory(i);
            case Instruction.IMM -> registerImmediate(i);
            default -> registerRegister(i);
        };
    }

    private static Handler registerRegister(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu32Handlers::addRegReg;
            case OR -> Alu32Handlers::orRegReg;
            case ADC -> Alu32Handlers::adcRegReg;
            case SBB -> Alu32Handlers::sbbRegReg;
            case AND -> Alu32Handlers::andRegReg;
            case SUB -> Alu32Handlers::subRegReg;
            case XOR -> Alu32Handlers::xorRegReg;
            case CMP -> Alu32Handlers::cmpRegReg;
            case TEST -> Alu32Handlers::testRegReg;
            default -> null;
        };
    }

    private static Handler registerImmediate(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu32Handlers::addRegImm;
            case OR -> Alu32Handlers::orRegImm;
            case ADC -> Alu32Handlers::adcRegImm;
            case SBB -> Alu32Handlers::sbbRegImm;
            case AND -> Alu32Handlers::andRegImm;
            case SUB -> Alu32Handlers::subRegImm;
            case XOR -> Alu32Handlers::xorRegImm;
            case CMP -> Alu32Handlers::cmpRegImm;
            case TEST -> Alu32Handlers::testRegImm;
            default -> null;
        };
    }

    private static Handler registerMemory(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu32Handlers::addRegMem;
            case OR -> Alu32Handlers::orRegMem;
            case ADC -> Alu32Handlers::adcRegMem;
            case SBB -> Alu32Handlers::sbbRegMem;
            case AND -> Alu32Handlers::andRegMem;
            case SUB -> Alu32Handlers::subRegMem;
            case XOR -> Alu32Handlers::xorRegMem;
            case CMP -> Alu32Handlers::cmpRegMem;
            default -> null;
        };
    }

    private static Handler memoryRegister(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu32Handlers::addMemReg;
            case OR -> Alu32Handlers::orMemReg;
            case ADC -> Alu32Handlers::adcMemReg;
            case SBB -> Alu32Handlers::sbbMemReg;
            case AND -> Alu32Handlers::andMemReg;
            case SUB -> Alu32Handlers::subMemReg;
            case XOR -> Alu32Handlers::xorMemReg;
            case CMP -> Alu32Handlers::cmpMemReg;
            case TEST -> Alu32Handlers::testMemReg;
            default -> null;
        };
    }

    private static Handler memoryImmediate(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu32Handlers::addMemImm;
            case OR -> Alu32Handlers::orMemImm;
            case ADC -> Alu32Handlers::adcMemImm;
            case SBB -> Alu32Handlers::sbbMemImm;
            case AND -> Alu32Handlers::andMemImm;
            case SUB -> Alu32Handlers::subMemImm;
            case XOR -> Alu32Handlers::xorMemImm;
            case CMP -> Alu32Handlers::cmpMemImm;
            case TEST -> Alu32Handlers::testMemImm;
            default -> null;
        };
    }

    private static void addRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void addRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add32(c, c.gpr[i.reg0], i.imm);
    }

    private static void addRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void addMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.add32(c, old, c.gpr[i.reg1])));
    }

    private static void addMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.add32(c, old, i.imm)));
    }

    private static void orRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void orRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or32(c, c.gpr[i.reg0], i.imm);
    }

    private static void orRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void orMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.or32(c, old, c.gpr[i.reg1])));
    }

    private static void orMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.or32(c, old, i.imm)));
    }

    private static void adcRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void adcRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc32(c, c.gpr[i.reg0], i.imm);
    }

    private static void adcRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void adcMemReg(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 4);
        while (!c.rmwStore(4, i.lock(), old, Arithmetic.adc32(c, old, c.gpr[i.reg1]))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 4);
        }
    }

    private static void adcMemImm(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 4);
        while (!c.rmwStore(4, i.lock(), old, Arithmetic.adc32(c, old, i.imm))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 4);
        }
    }

    private static void sbbRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void sbbRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb32(c, c.gpr[i.reg0], i.imm);
    }

    private static void sbbRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void sbbMemReg(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 4);
        while (!c.rmwStore(4, i.lock(), old, Arithmetic.sbb32(c, old, c.gpr[i.reg1]))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 4);
        }
    }

    private static void sbbMemImm(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 4);
        while (!c.rmwStore(4, i.lock(), old, Arithmetic.sbb32(c, old, i.imm))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 4);
        }
    }

    private static void andRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void andRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and32(c, c.gpr[i.reg0], i.imm);
    }

    private static void andRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void andMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.and32(c, old, c.gpr[i.reg1])));
    }

    private static void andMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.and32(c, old, i.imm)));
    }

    private static void subRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void subRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub32(c, c.gpr[i.reg0], i.imm);
    }

    private static void subRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void subMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.sub32(c, old, c.gpr[i.reg1])));
    }

    private static void subMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.sub32(c, old, i.imm)));
    }

    private static void xorRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void xorRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor32(c, c.gpr[i.reg0], i.imm);
    }

    private static void xorRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void xorMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.xor32(c, old, c.gpr[i.reg1])));
    }

    private static void xorMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 4);
        } while (!c.rmwStore(4, i.lock(), old, Arithmetic.xor32(c, old, i.imm)));
    }

    private static void cmpRegReg(Cpu c, Instruction i) {
        Arithmetic.sub32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void cmpRegImm(Cpu c, Instruction i) {
        Arithmetic.sub32(c, c.gpr[i.reg0], i.imm);
    }

    private static void cmpRegMem(Cpu c, Instruction i) {
        Arithmetic.sub32(c, c.gpr[i.reg0], c.load32(i));
    }

    private static void cmpMemReg(Cpu c, Instruction i) {
        Arithmetic.sub32(c, c.load32(i), c.gpr[i.reg1]);
    }

    private static void cmpMemImm(Cpu c, Instruction i) {
        Arithmetic.sub32(c, c.load32(i), i.imm);
    }

    private static void testRegReg(Cpu c, Instruction i) {
        Arithmetic.and32(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void testRegImm(Cpu c, Instruction i) {
        Arithmetic.and32(c, c.gpr[i.reg0], i.imm);
    }

    private static void testMemReg(Cpu c, Instruction i) {
        Arithmetic.and32(c, c.load32(i), c.gpr[i.reg1]);
    }

    private static void testMemImm(Cpu c, Instruction i) {
        Arithmetic.and32(c, c.load32(i), i.imm);
    }
}
