package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * The two-operand arithmetic on 64 bits: one method for each operation and operand form, because
 * these are what programs consist of.
 */
final class Alu64Handlers {
    private Alu64Handlers() {}

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
            case ADD -> Alu64Handlers::addRegReg;
            case OR -> Alu64Handlers::orRegReg;
            case ADC -> Alu64Handlers::adcRegReg;
            case SBB -> Alu64Handlers::sbbRegReg;
            case AND -> Alu64Handlers::andRegReg;
            case SUB -> Alu64Handlers::subRegReg;
            case XOR -> Alu64Handlers::xorRegReg;
            case CMP -> Alu64Handlers::cmpRegReg;
            case TEST -> Alu64Handlers::testRegReg;
            default -> null;
        };
    }

    private static Handler registerImmediate(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu64Handlers::addRegImm;
            case OR -> Alu64Handlers::orRegImm;
            case ADC -> Alu64Handlers::adcRegImm;
            case SBB -> Alu64Handlers::sbbRegImm;
            case AND -> Alu64Handlers::andRegImm;
            case SUB -> Alu64Handlers::subRegImm;
            case XOR -> Alu64Handlers::xorRegImm;
            case CMP -> Alu64Handlers::cmpRegImm;
            case TEST -> Alu64Handlers::testRegImm;
            default -> null;
        };
    }

    private static Handler registerMemory(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu64Handlers::addRegMem;
            case OR -> Alu64Handlers::orRegMem;
            case ADC -> Alu64Handlers::adcRegMem;
            case SBB -> Alu64Handlers::sbbRegMem;
            case AND -> Alu64Handlers::andRegMem;
            case SUB -> Alu64Handlers::subRegMem;
            case XOR -> Alu64Handlers::xorRegMem;
            case CMP -> Alu64Handlers::cmpRegMem;
            default -> null;
        };
    }

    private static Handler memoryRegister(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu64Handlers::addMemReg;
            case OR -> Alu64Handlers::orMemReg;
            case ADC -> Alu64Handlers::adcMemReg;
            case SBB -> Alu64Handlers::sbbMemReg;
            case AND -> Alu64Handlers::andMemReg;
            case SUB -> Alu64Handlers::subMemReg;
            case XOR -> Alu64Handlers::xorMemReg;
            case CMP -> Alu64Handlers::cmpMemReg;
            case TEST -> Alu64Handlers::testMemReg;
            default -> null;
        };
    }

    private static Handler memoryImmediate(Instruction i) {
        return switch (i.op) {
            case ADD -> Alu64Handlers::addMemImm;
            case OR -> Alu64Handlers::orMemImm;
            case ADC -> Alu64Handlers::adcMemImm;
            case SBB -> Alu64Handlers::sbbMemImm;
            case AND -> Alu64Handlers::andMemImm;
            case SUB -> Alu64Handlers::subMemImm;
            case XOR -> Alu64Handlers::xorMemImm;
            case CMP -> Alu64Handlers::cmpMemImm;
            case TEST -> Alu64Handlers::testMemImm;
            default -> null;
        };
    }

    private static void addRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void addRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add64(c, c.gpr[i.reg0], i.imm);
    }

    private static void addRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.add64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void addMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.add64(c, old, c.gpr[i.reg1])));
    }

    private static void addMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.add64(c, old, i.imm)));
    }

    private static void orRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void orRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or64(c, c.gpr[i.reg0], i.imm);
    }

    private static void orRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.or64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void orMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.or64(c, old, c.gpr[i.reg1])));
    }

    private static void orMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.or64(c, old, i.imm)));
    }

    private static void adcRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void adcRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc64(c, c.gpr[i.reg0], i.imm);
    }

    private static void adcRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.adc64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void adcMemReg(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 8);
        while (!c.rmwStore(8, i.lock(), old, Arithmetic.adc64(c, old, c.gpr[i.reg1]))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 8);
        }
    }

    private static void adcMemImm(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 8);
        while (!c.rmwStore(8, i.lock(), old, Arithmetic.adc64(c, old, i.imm))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 8);
        }
    }

    private static void sbbRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void sbbRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb64(c, c.gpr[i.reg0], i.imm);
    }

    private static void sbbRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sbb64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void sbbMemReg(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 8);
        while (!c.rmwStore(8, i.lock(), old, Arithmetic.sbb64(c, old, c.gpr[i.reg1]))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 8);
        }
    }

    private static void sbbMemImm(Cpu c, Instruction i) {
        boolean carry = c.flags.cf();
        long old = c.rmwLoad(i, 8);
        while (!c.rmwStore(8, i.lock(), old, Arithmetic.sbb64(c, old, i.imm))) {
            c.flags.setCarry(carry);
            old = c.rmwLoad(i, 8);
        }
    }

    private static void andRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void andRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and64(c, c.gpr[i.reg0], i.imm);
    }

    private static void andRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.and64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void andMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.and64(c, old, c.gpr[i.reg1])));
    }

    private static void andMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.and64(c, old, i.imm)));
    }

    private static void subRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void subRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub64(c, c.gpr[i.reg0], i.imm);
    }

    private static void subRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.sub64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void subMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.sub64(c, old, c.gpr[i.reg1])));
    }

    private static void subMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.sub64(c, old, i.imm)));
    }

    private static void xorRegReg(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void xorRegImm(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor64(c, c.gpr[i.reg0], i.imm);
    }

    private static void xorRegMem(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Arithmetic.xor64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void xorMemReg(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.xor64(c, old, c.gpr[i.reg1])));
    }

    private static void xorMemImm(Cpu c, Instruction i) {
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, Arithmetic.xor64(c, old, i.imm)));
    }

    private static void cmpRegReg(Cpu c, Instruction i) {
        Arithmetic.sub64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void cmpRegImm(Cpu c, Instruction i) {
        Arithmetic.sub64(c, c.gpr[i.reg0], i.imm);
    }

    private static void cmpRegMem(Cpu c, Instruction i) {
        Arithmetic.sub64(c, c.gpr[i.reg0], c.load64(i));
    }

    private static void cmpMemReg(Cpu c, Instruction i) {
        Arithmetic.sub64(c, c.load64(i), c.gpr[i.reg1]);
    }

    private static void cmpMemImm(Cpu c, Instruction i) {
        Arithmetic.sub64(c, c.load64(i), i.imm);
    }

    private static void testRegReg(Cpu c, Instruction i) {
        Arithmetic.and64(c, c.gpr[i.reg0], c.gpr[i.reg1]);
    }

    private static void testRegImm(Cpu c, Instruction i) {
        Arithmetic.and64(c, c.gpr[i.reg0], i.imm);
    }

    private static void testMemReg(Cpu c, Instruction i) {
        Arithmetic.and64(c, c.load64(i), c.gpr[i.reg1]);
    }

    private static void testMemImm(Cpu c, Instruction i) {
        Arithmetic.and64(c, c.load64(i), i.imm);
    }
}
