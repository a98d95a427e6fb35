package org.javisor.interpreter;

import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.LittleEndian;
import org.javisor.x86.Op;
import org.javisor.x86.X87Arithmetic;
import org.javisor.x86.X87Unit;

/**
 * The x87 instructions that work on the register stack: which operation of the {@link X87Unit} each
 * is, and its memory operand. Control and state instructions are {@link X87ControlHandlers}'.
 *
 * <p>The error of an earlier instruction is reported as #MF with CR0.NE set. With NE clear a PC
 * would see IRQ 13 from FERR#; that is not emulated, and execution goes on.
 */
final class X87Handlers {
    private X87Handlers() {}

    /** The handler of an x87 instruction or WAIT, or null for others. */
    static Handler select(Instruction i) {
        return switch (i.op) {
            case FLD -> load(i);
            case FILD -> loadInteger(i);
            case FBLD -> X87Handlers::fbld;
            case FST, FSTP -> store(i, i.op == Op.FSTP);
            case FIST -> storeInteger(i, false, false);
            case FISTP -> storeInteger(i, true, false);
            case FISTTP -> storeInteger(i, true, true);
            case FBSTP -> X87Handlers::fbstp;
            case FLD1 -> constant(X87Unit.ONE);
            case FLDL2T -> constant(X87Unit.LOG2_10);
            case FLDL2E -> constant(X87Unit.LOG2_E);
            case FLDPI -> constant(X87Unit.PI);
            case FLDLG2 -> constant(X87Unit.LOG10_2);
            case FLDLN2 -> constant(X87Unit.LN_2);
            case FLDZ -> constant(X87Unit.ZERO);
            case FADD, FADDP, FIADD -> arithmetic(i, X87Arithmetic.ADD);
            case FMUL, FMULP, FIMUL -> arithmetic(i, X87Arithmetic.MULTIPLY);
            case FSUB, FSUBP, FISUB -> arithmetic(i, X87Arithmetic.SUBTRACT);
            case FSUBR, FSUBRP, FISUBR -> arithmetic(i, X87Arithmetic.SUBTRACT_REVERSED);
            case FDIV, FDIVP, FIDIV -> arithmetic(i, X87Arithmetic.DIVIDE);
            case FDIVR, FDIVRP, FIDIVR -> arithmetic(i, X87Arithmetic.DIVIDE_REVERSED);
            case FCOM -> compare(i, 0);
            case FCOMP -> compare(i, 1);
            case FCOMPP -> compareRegister(1, false, 2);
            case FUCOM -> compareRegister(i.reg0, true, 0);
            case FUCOMP -> compareRegister(i.reg0, true, 1);
            case FUCOMPP -> compareRegister(1, true, 2);
            case FICOM -> compareInteger(i, 0);
            case FICOMP -> compareInteger(i, 1);
            case FCOMI -> (c, x) -> compareToFlags(c, x, false, false);
            case FCOMIP -> (c, x) -> compareToFlags(c, x, false, true);
            case FUCOMI -> (c, x) -> compareToFlags(c, x, true, false);
            case FUCOMIP -> (c, x) -> compareToFlags(c, x, true, true);
            case FCMOVB -> move(2);
            case FCMOVE -> move(4);
            case FCMOVBE -> move(6);
            case FCMOVU -> move(10);
            case FCMOVNB -> move(3);
            case FCMOVNE -> move(5);
            case FCMOVNBE -> move(7);
            case FCMOVNU -> move(11);
            case FXCH -> (c, x) -> enter(c, x).exchange(x.reg0);
            case FFREE -> (c, x) -> enter(c, x).free(x.reg0);
            case FFREEP -> X87Handlers::ffreep;
            case FINCSTP -> (c, x) -> enter(c, x).incrementTop();
            case FDECSTP -> (c, x) -> enter(c, x).decrementTop();
            // FNENI, FNDISI and FNSETPM of the 287 do not wait, D9 D0 does.
            case FNOP -> i.imm >> 8 == 3 ? (c, x) -> c.requireFpu() : X87Handlers::enter;
            default -> selectUnary(i);
        };
    }

    private static Handler selectUnary(Instruction i) {
        return switch (i.op) {
            case FABS -> (c, x) -> enter(c, x).arithmetic.absolute();
            case FCHS -> (c, x) -> enter(c, x).arithmetic.changeSign();
            case FSQRT -> (c, x) -> enter(c, x).arithmetic.squareRoot();
            case FRNDINT -> (c, x) -> enter(c, x).arithmetic.roundToIntegral();
            case FSCALE -> (c, x) -> enter(c, x).arithmetic.scale();
            case FPREM -> (c, x) -> enter(c, x).arithmetic.remainder(false);
            case FPREM1 -> (c, x) -> enter(c, x).arithmetic.remainder(true);
            case FXTRACT -> (c, x) -> enter(c, x).arithmetic.extract();
            case F2XM1 -> (c, x) -> enter(c, x).functions.exponential();
            case FYL2X -> (c, x) -> enter(c, x).functions.logarithm();
            case FYL2XP1 -> (c, x) -> enter(c, x).functions.logarithmOfNext();
            case FSIN -> (c, x) -> enter(c, x).functions.sine(false);
            case FCOS -> (c, x) -> enter(c, x).functions.sine(true);
            case FSINCOS -> (c, x) -> enter(c, x).functions.sineAndCosine();
            case FPTAN -> (c, x) -> enter(c, x).functions.tangent();
            case FPATAN -> (c, x) -> enter(c, x).functions.arctangent();
            case FTST -> (c, x) -> enter(c, x).comparison.withZero();
            case FXAM -> (c, x) -> enter(c, x).comparison.examine();
            default -> X87ControlHandlers.select(i);
        };
    }

    /**
     * What comes before any waiting instruction's work: the unit's availability and the error that
     * waits.
     */
    static void checkReady(Cpu c) {
        c.requireFpu();
        checkPending(c);
    }

    /** Reports an unmasked exception of an earlier x87 instruction. */
    static void checkPending(Cpu c) {
        if (c.x87.pending() && (c.control.cr0 & ControlRegisters.CR0_NE) != 0) {
            throw GuestFault.of(GuestFault.MF);
        }
    }

    /** Begins an instruction without a memory operand. */
    private static X87Unit enter(Cpu c, Instruction i) {
        checkReady(c);
        FpuState fpu = c.fpu;
        fpu.lastInstruction = c.rip - i.length;
        fpu.lastOpcode = (int) i.imm;
        return c.x87;
    }

    /**
     * Begins the part after the memory operand's load, or before its store, of which neither faults
     * any more.
     */
    private static X87Unit enterMemory(Cpu c, Instruction i) {
        FpuState fpu = c.fpu;
        fpu.lastInstruction = c.rip - i.length;
        fpu.lastData = c.effectiveAddress(i);
        fpu.lastOpcode = (int) i.imm;
        return c.x87;
    }

    // Loads and stores

    private static Handler load(Instruction i) {
        if (i.kind0 == Instruction.ST) {
            return (c, x) -> enter(c, x).loadRegister(x.reg0);
        }
        return switch (i.memorySize) {
            case 4 ->
                    (c, x) -> {
                        checkReady(c);
                        int bits = c.load32(x);
                        enterMemory(c, x).loadFloat32(bits);
                    };
            case 8 ->
                    (c, x) -> {
                        checkReady(c);
                        long bits = c.load64(x);
                        enterMemory(c, x).loadFloat64(bits);
                    };
            default ->
                    (c, x) -> {
                        checkReady(c);
                        long significand = c.load64(x);
                        int signExponent = c.load16(x, 8);
                        enterMemory(c, x).loadExtended(signExponent, significand);
                    };
        };
    }

    /** The memory operand as a signed integer. */
    private static long integer(Cpu c, Instruction i) {
        return switch (i.memorySize) {
            case 2 -> (short) c.load16(i);
            case 4 -> c.load32(i);
            default -> c.load64(i);
        };
    }

    private static Handler loadInteger(Instruction i) {
        return (c, x) -> {
            checkReady(c);
            long value = integer(c, x);
            enterMemory(c, x).loadInteger(value);
        };
    }

    private static void fbld(Cpu c, Instruction i) {
        checkReady(c);
        long low = c.load64(i);
        int high = c.load16(i, 8);
        enterMemory(c, i).loadBcd(low, high);
    }

    private static Handler store(Instruction i, boolean pop) {
        if (i.kind0 == Instruction.ST) {
            return (c, x) -> enter(c, x).storeRegister(x.reg0, pop);
        }
        return switch (i.memorySize) {
            case 4 ->
                    (c, x) -> {
                        checkReady(c);
                        if (c.x87.prepareFloat32()) {
                            c.store32(x, (int) c.x87.stored);
                        } else {
                            c.checkWritable(x);
                        }
                        enterMemory(c, x).finishStore(pop);
                    };
            case 8 ->
                    (c, x) -> {
                        checkReady(c);
                        if (c.x87.prepareFloat64()) {
                            c.store64(x, c.x87.stored);
                        } else {
                            c.checkWritable(x);
                        }
                        enterMemory(c, x).finishStore(pop);
                    };
            default ->
                    (c, x) -> {
                        checkReady(c);
                        if (c.x87.prepareExtended()) {
                            storeTenBytes(c, x);
                        } else {
                            c.checkWritable(x);
                        }
                        enterMemory(c, x).finishStore(pop);
                    };
        };
    }

    private static void storeTenBytes(Cpu c, Instruction i) {
        byte[] area = c.fpuArea;
        LittleEndian.put64(area, 0, c.x87.stored);
        LittleEndian.put16(area, 8, c.x87.storedHigh);
        c.storeBytes(i, area, 10);
    }

    private static Handler storeInteger(Instruction i, boolean pop, boolean truncate) {
        int bits = i.memorySize * 8;
        return (c, x) -> {
            checkReady(c);
            if (c.x87.prepareInteger(bits, truncate)) {
                switch (bits) {
                    case 16 -> c.store16(x, (int) c.x87.stored & 0xffff);
                    case 32 -> c.store32(x, (int) c.x87.stored);
                    default -> c.store64(x, c.x87.stored);
                }
            } else {
                c.checkWritable(x);
            }
            enterMemory(c, x).finishStore(pop);
        };
    }

    private static void fbstp(Cpu c, Instruction i) {
        checkReady(c);
        if (c.x87.prepareBcd()) {
            storeTenBytes(c, i);
        } else {
            c.checkWritable(i);
        }
        enterMemory(c, i).finishStore(true);
    }

    private static Handler constant(int constant) {
        return (c, x) -> enter(c, x).loadConstant(constant);
    }

    // Arithmetic and comparison

    private static Handler arithmetic(Instruction i, int operation) {
        if (i.kind0 == Instruction.ST) {
            boolean pop =
                    switch (i.op) {
                        case FADDP, FMULP, FSUBP, FSUBRP, FDIVP, FDIVRP -> true;
                        default -> false;
                    };
            return (c, x) -> enter(c, x).arithmetic.withRegister(operation, x.reg0, x.reg1, pop);
        }
        boolean integer =
                switch (i.op) {
                    case FIADD, FIMUL, FISUB, FISUBR, FIDIV, FIDIVR -> true;
                    default -> false;
                };
        if (integer) {
            return (c, x) -> {
                checkReady(c);
                long value = integer(c, x);
                enterMemory(c, x).arithmetic.withInteger(operation, value);
            };
        }
        if (i.memorySize == 4) {
            return (c, x) -> {
                checkReady(c);
                int bits = c.load32(x);
                enterMemory(c, x).arithmetic.withFloat32(operation, bits);
            };
        }
        return (c, x) -> {
            checkReady(c);
            long bits = c.load64(x);
            enterMemory(c, x).arithmetic.withFloat64(operation, bits);
        };
    }

    private static Handler compare(Instruction i, int pops) {
        if (i.kind0 == Instruction.ST) {
            return compareRegister(i.reg0, false, pops);
        }
        if (i.memorySize == 4) {
            return (c, x) -> {
                checkReady(c);
                int bits = c.load32(x);
                enterMemory(c, x).comparison.withFloat32(bits, pops);
            };
        }
        return (c, x) -> {
            checkReady(c);
            long bits = c.load64(x);
            enterMemory(c, x).comparison.withFloat64(bits, pops);
        };
    }

    private static Handler compareRegister(int register, boolean quiet, int pops) {
        return (c, x) -> enter(c, x).comparison.withRegister(register, quiet, pops);
    }

    private static Handler compareInteger(Instruction i, int pops) {
        return (c, x) -> {
            checkReady(c);
            long value = integer(c, x);
            enterMemory(c, x).comparison.withInteger(value, pops);
        };
    }

    private static void compareToFlags(Cpu c, Instruction i, boolean quiet, boolean pop) {
        c.setFlags(Flags.ARITHMETIC, enter(c, i).comparison.toFlags(i.reg1, quiet, pop));
    }

    /** FCMOVcc, its condition in the encoding of Jcc. */
    private static Handler move(int condition) {
        return (c, x) -> enter(c, x).move(x.reg1, c.flags.condition(condition));
    }

    private static void ffreep(Cpu c, Instruction i) {
        X87Unit unit = enter(c, i);
        unit.free(i.reg0);
        unit.pop();
    }
}
