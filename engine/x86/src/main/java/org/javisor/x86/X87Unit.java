package org.javisor.x86;

import static org.javisor.x86.X87Stack.BUSY;
import static org.javisor.x86.X87Stack.C1;
import static org.javisor.x86.X87Stack.EXCEPTIONS;
import static org.javisor.x86.X87Stack.STACK_FAULT;
import static org.javisor.x86.X87Stack.SUMMARY;

/**
 * The x87 floating-point unit (Intel SDM vol. 1, chapter 8) on the registers of a {@link FpuState}:
 * register stack, condition codes, exceptions and their masked and unmasked responses. It knows
 * neither memory nor instruction encodings; who calls it has checked CR0 and {@link #pending} and
 * has loaded the memory operand.
 *
 * <p>Stores have two steps, because a memory operand may fault: {@code prepare…} computes {@link
 * #stored} without any change of state and says whether there is something to store; then {@link
 * #finishStore} makes the exceptions known and pops.
 */
public final class X87Unit {
    /** Constants of FLD1 to FLDZ, in the order of their encoding. */
    public static final int ONE = 0,
            LOG2_10 = 1,
            LOG2_E = 2,
            PI = 3,
            LOG10_2 = 4,
            LN_2 = 5,
            ZERO = 6;

    private static final int[] CONSTANT_EXPONENT = {
        0x3fff, 0x4000, 0x3fff, 0x4000, 0x3ffd, 0x3ffe, 0
    };

    /** Rounded towards zero. */
    private static final long[] CONSTANT_SIGNIFICAND = {
        0x8000000000000000L,
        0xd49a784bcd1b8afeL,
        0xb8aa3b295c17f0bbL,
        0xc90fdaa22168c234L,
        0x9a209a84fbcff798L,
        0xb17217f7d1cf79abL,
        0
    };

    /**
     * Bit n: the first discarded bit of constant n is set, so that the nearest is the next above.
     */
    private static final int CONSTANT_ROUNDS_UP = 1 << LOG2_E | 1 << PI | 1 << LOG10_2 | 1 << LN_2;

    private static final int CONSTANT_INEXACT = CONSTANT_ROUNDS_UP | 1 << LOG2_10;
    public final X87Arithmetic arithmetic;
    public final X87Comparison comparison;
    public final X87Functions functions;

    private final X87Stack stack;
    private final FpuState state;
    private final Float80 unit;

    /** What a store writes: an integer, the bits of a real, or the low 64 bits of ten bytes. */
    public long stored;

    /** The upper 16 bits of ten bytes. */
    public int storedHigh;

    private int preparedFlags;
    private boolean preparedCompletes;

    public X87Unit(FpuState state) {
        this.state = state;
        stack = new X87Stack(state);
        unit = stack.unit;
        arithmetic = new X87Arithmetic(stack);
        comparison = new X87Comparison(stack);
        functions = new X87Functions(stack);
    }

    /** Whether an unmasked exception waits for the next waiting instruction. */
    public boolean pending() {
        return (state.status & SUMMARY) != 0;
    }

    // Loads

    /** FLD m80: no conversion and no check. */
    public void loadExtended(int signExponent, long significand) {
        stack.begin();
        unit.set(signExponent, significand);
        stack.push();
    }

    public void loadFloat32(int bits) {
        stack.begin();
        if (stack.overflows()) {
            return;
        }
        Float80Formats.fromFloat32(unit, bits);
        Float80Formats.finishLoad(unit);
        pushIfComplete();
    }

    public void loadFloat64(long bits) {
        stack.begin();
        if (stack.overflows()) {
            return;
        }
        Float80Formats.fromFloat64(unit, bits);
        Float80Formats.finishLoad(unit);
        pushIfComplete();
    }

    public void loadInteger(long value) {
        stack.begin();
        Float80Formats.fromInteger(unit, value);
        stack.push();
    }

    /** FBLD: the low eight bytes and the upper two. */
    public void loadBcd(long low, int high) {
        stack.begin();
        Float80Formats.fromBcd(unit, low, high);
        stack.push();
    }

    /** FLD ST(i). */
    public void loadRegister(int i) {
        stack.begin();
        int source = stack.physical(i);
        if (stack.empty(source)) {
            if (stack.stackFault(false)) {
                state.top = stack.physical(-1);
                stack.writeIndefinite(state.top);
            }
            return;
        }
        unit.set(state.signExponent[source], state.significand[source]);
        stack.push();
    }

    /**
     * FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: irrational ones rounded as the control
     * word says.
     */
    public void loadConstant(int constant) {
        stack.begin();
        long significand = CONSTANT_SIGNIFICAND[constant];
        int bit = 1 << constant;
        int rounding = unit.rounding();
        if (rounding == 0 && (CONSTANT_ROUNDS_UP & bit) != 0
                || rounding == 2 && (CONSTANT_INEXACT & bit) != 0) {
            significand++;
        }
        unit.set(CONSTANT_EXPONENT[constant], significand);
        stack.push();
    }

    private void pushIfComplete() {
        // A denormal is loaded even where it raises an unmasked exception; a signalling NaN is not.
        stack.raise(unit.flags);
        if ((unit.flags & ~state.control & Float80.IE) == 0) {
            state.top = stack.physical(-1);
            stack.writeResult(state.top);
        }
    }

    // Stores

    private boolean beginStore() {
        unit.begin(state.control);
        int source = state.top;
        if (!stack.empty(source)) {
            return true;
        }
        preparedFlags = Float80.IE | STACK_FAULT;
        preparedCompletes = (state.control & Float80.IE) != 0;
        return false;
    }

    private boolean prepared(long value, int abortingExceptions) {
        stored = value;
        preparedFlags = unit.flags;
        preparedCompletes = (unit.flags & ~state.control & abortingExceptions) == 0;
        return preparedCompletes;
    }

    private boolean preparedFault(long indefinite, int indefiniteHigh) {
        stored = indefinite;
        storedHigh = indefiniteHigh;
        return preparedCompletes;
    }

    public boolean prepareFloat32() {
        if (!beginStore()) {
            return preparedFault(0xffc00000L, 0);
        }
        int top = state.top;
        long bits =
                Float80Formats.toFloat(unit, state.signExponent[top], state.significand[top], 24);
        return prepared(bits, EXCEPTIONS & ~Float80.PE);
    }

    public boolean prepareFloat64() {
        if (!beginStore()) {
            return preparedFault(0xfff8000000000000L, 0);
        }
        int top = state.top;
        long bits =
                Float80Formats.toFloat(unit, state.signExponent[top], state.significand[top], 53);
        return prepared(bits, EXCEPTIONS & ~Float80.PE);
    }

    public boolean prepareExtended() {
        if (!beginStore()) {
            return preparedFault(Float80.INDEFINITE_SIGNIFICAND, Float80.INDEFINITE_SIGN_EXPONENT);
        }
        storedHigh = state.signExponent[state.top];
        return prepared(state.significand[state.top], 0);
    }

    /** FIST, FISTP, and FISTTP if {@code truncate}; {@code bits} is 16, 32 or 64. */
    public boolean prepareInteger(int bits, boolean truncate) {
        if (!beginStore()) {
            return preparedFault(-1L << bits - 1, 0);
        }
        int top = state.top;
        long value =
                Float80Formats.toInteger(
                        unit, state.signExponent[top], state.significand[top], bits, truncate);
        return prepared(value, Float80.IE);
    }

    public boolean prepareBcd() {
        boolean full = beginStore();
        if (full) {
            Float80Formats.toBcd(unit, state.signExponent[state.top], state.significand[state.top]);
        } else {
            Float80Formats.toBcd(
                    unit, Float80.INDEFINITE_SIGN_EXPONENT, Float80.INDEFINITE_SIGNIFICAND);
            return preparedFault(unit.significand, unit.signExponent);
        }
        storedHigh = unit.signExponent;
        return prepared(unit.significand, Float80.IE);
    }

    /** Completes a store after its memory operand, if any, was written. */
    public void finishStore(boolean pop) {
        state.status &= ~C1;
        stack.raise(preparedFlags);
        if (pop && preparedCompletes) {
            stack.pop();
        }
    }

    /** FST ST(i), FSTP ST(i). */
    public void storeRegister(int i, boolean pop) {
        stack.begin();
        int source = state.top;
        int target = stack.physical(i);
        if (!stack.empty(source)) {
            stack.write(target, state.signExponent[source], state.significand[source]);
        } else if (stack.stackFault(false)) {
            stack.writeIndefinite(target);
        } else {
            return;
        }
        if (pop) {
            stack.pop();
        }
    }

    // Register stack and control

    public void pop() {
        stack.pop();
    }

    public void exchange(int i) {
        stack.begin();
        int s = stack.physical(i);
        int top = state.top;
        if (stack.empty(s) || stack.empty(top)) {
            if (!stack.stackFault(false)) {
                return;
            }
            if (stack.empty(s)) {
                stack.writeIndefinite(s);
            }
            if (stack.empty(top)) {
                stack.writeIndefinite(top);
            }
        }
        int se = state.signExponent[s];
        long sig = state.significand[s];
        stack.write(s, state.signExponent[top], state.significand[top]);
        stack.write(top, se, sig);
    }

    /** FCMOVcc. */
    public void move(int i, boolean condition) {
        int s = stack.physical(i);
        if (stack.empty(s) || stack.empty(state.top)) {
            stack.begin();
            if (stack.stackFault(false)) {
                stack.writeIndefinite(state.top);
            }
        } else if (condition) {
            stack.write(state.top, state.signExponent[s], state.significand[s]);
        }
    }

    public void incrementTop() {
        state.status &= ~C1;
        state.top = state.top + 1 & 7;
    }

    public void decrementTop() {
        state.status &= ~C1;
        state.top = state.top - 1 & 7;
    }

    public void free(int i) {
        state.status &= ~C1;
        state.valid &= ~(1 << stack.physical(i));
    }

    /** FNINIT. Registers keep their contents but are empty. */
    public void initialise() {
        X87Stack.initialise(state);
    }

    public void clearExceptions() {
        state.status &= ~(EXCEPTIONS | STACK_FAULT | SUMMARY | BUSY);
    }

    public int controlWord() {
        return state.control;
    }

    public void setControlWord(int word) {
        X87Stack.setControlWord(state, word);
    }

    public int statusWord() {
        return X87Stack.statusWord(state);
    }
}
