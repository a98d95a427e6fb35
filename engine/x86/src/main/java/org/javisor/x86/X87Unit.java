package org.javisor.x86;

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
    /** Dyadic operations; the reversed ones take the destination as the second operand. */
    public static final int ADD = 0,
            MULTIPLY = 1,
            SUBTRACT = 4,
            SUBTRACT_REVERSED = 5,
            DIVIDE = 6,
            DIVIDE_REVERSED = 7;

    /** Constants of FLD1 to FLDZ, in the order of their encoding. */
    public static final int ONE = 0,
            LOG2_10 = 1,
            LOG2_E = 2,
            PI = 3,
            LOG10_2 = 4,
            LN_2 = 5,
            ZERO = 6;

    // Bits of the status word
    static final int STACK_FAULT = 0x40;
    static final int SUMMARY = 0x80;
    static final int C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000;
    static final int BUSY = 0x8000;
    static final int EXCEPTIONS = 0x3f;

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

    private final FpuState state;
    private final Float80 unit = new Float80();
    private final Float80Functions functions = new Float80Functions(unit);

    /** What a store writes: an integer, the bits of a real, or the low 64 bits of ten bytes. */
    public long stored;

    /** The upper 16 bits of ten bytes. */
    public int storedHigh;

    private int preparedFlags;
    private boolean preparedCompletes;

    public X87Unit(FpuState state) {
        this.state = state;
    }

    /** Whether an unmasked exception waits for the next waiting instruction. */
    public boolean pending() {
        return (state.status & SUMMARY) != 0;
    }

    // The stack

    private int physical(int i) {
        return state.top + i & 7;
    }

    private boolean empty(int physical) {
        return (state.valid >>> physical & 1) == 0;
    }

    private void write(int physical, int signExponent, long significand) {
        state.signExponent[physical] = signExponent;
        state.significand[physical] = significand;
        state.valid |= 1 << physical;
    }

    private void writeResult(int physical) {
        write(physical, unit.signExponent, unit.significand);
    }

    private void writeIndefinite(int physical) {
        write(physical, Float80.INDEFINITE_SIGN_EXPONENT, Float80.INDEFINITE_SIGNIFICAND);
    }

    public void pop() {
        state.valid &= ~(1 << state.top);
        state.top = state.top + 1 & 7;
    }

    private void begin() {
        unit.begin(state.control);
        state.status &= ~C1;
    }

    /** Takes over the exceptions and C1 of the operation. */
    private void raise(int flags) {
        state.status |= flags & (EXCEPTIONS | C1 | STACK_FAULT);
        if ((flags & EXCEPTIONS & ~state.control) != 0) {
            state.status |= SUMMARY | BUSY;
        }
    }

    /** Raises the invalid operation of a stack fault; whether it is masked. */
    private boolean stackFault(boolean overflow) {
        raise(Float80.IE | STACK_FAULT | (overflow ? C1 : 0));
        return (state.control & Float80.IE) != 0;
    }

    private boolean completes() {
        raise(unit.flags);
        return !unit.aborted();
    }

    // Loads

    /** FLD m80: no conversion and no check. */
    public void loadExtended(int signExponent, long significand) {
        begin();
        unit.set(signExponent, significand);
        push();
    }

    public void loadFloat32(int bits) {
        begin();
        if (overflows()) {
            return;
        }
        Float80Formats.fromFloat32(unit, bits);
        Float80Formats.finishLoad(unit);
        pushIfComplete();
    }

    public void loadFloat64(long bits) {
        begin();
        if (overflows()) {
            return;
        }
        Float80Formats.fromFloat64(unit, bits);
        Float80Formats.finishLoad(unit);
        pushIfComplete();
    }

    public void loadInteger(long value) {
        begin();
        Float80Formats.fromInteger(unit, value);
        push();
    }

    /** FBLD: the low eight bytes and the upper two. */
    public void loadBcd(long low, int high) {
        begin();
        Float80Formats.fromBcd(unit, low, high);
        push();
    }

    /** FLD ST(i). */
    public void loadRegister(int i) {
        begin();
        int source = physical(i);
        if (empty(source)) {
            if (stackFault(false)) {
                state.top = physical(-1);
                writeIndefinite(state.top);
            }
            return;
        }
        unit.set(state.signExponent[source], state.significand[source]);
        push();
    }

    /**
     * FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: irrational ones rounded as the control
     * word says.
     */
    public void loadConstant(int constant) {
        begin();
        long significand = CONSTANT_SIGNIFICAND[constant];
        int bit = 1 << constant;
        int rounding = unit.rounding();
        if (rounding == 0 && (CONSTANT_ROUNDS_UP & bit) != 0
                || rounding == 2 && (CONSTANT_INEXACT & bit) != 0) {
            significand++;
        }
        unit.set(CONSTANT_EXPONENT[constant], significand);
        push();
    }

    private boolean overflows() {
        int target = physical(-1);
        if (empty(target)) {
            return false;
        }
        if (stackFault(true)) {
            state.top = target;
            writeIndefinite(target);
        }
        return true;
    }

    private void pushIfComplete() {
        // A denormal is loaded even where it raises an unmasked exception; a signalling NaN is not.
        raise(unit.flags);
        if ((unit.flags & ~state.control & Float80.IE) == 0) {
            state.top = physical(-1);
            writeResult(state.top);
        }
    }

    private void push() {
        if (!overflows()) {
            state.top = physical(-1);
            writeResult(state.top);
        }
    }

    // Stores

    private boolean beginStore() {
        unit.begin(state.control);
        int source = state.top;
        if (!empty(source)) {
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
        raise(preparedFlags);
        if (pop && preparedCompletes) {
            pop();
        }
    }

    /** FST ST(i), FSTP ST(i). */
    public void storeRegister(int i, boolean pop) {
        begin();
        int source = state.top;
        int target = physical(i);
        if (!empty(source)) {
            write(target, state.signExponent[source], state.significand[source]);
        } else if (stackFault(false)) {
            writeIndefinite(target);
        } else {
            return;
        }
        if (pop) {
            pop();
        }
    }

    // Arithmetic

    /** ST(target) = ST(target) op ST(source). */
    public void arithmetic(int operation, int target, int source, boolean pop) {
        begin();
        int t = physical(target);
        int s = physical(source);
        if (empty(t) || empty(s)) {
            if (!stackFault(false)) {
                return;
            }
            writeIndefinite(t);
        } else {
            compute(operation, t, state.signExponent[s], state.significand[s]);
            if (!completes()) {
                return;
            }
            writeResult(t);
        }
        if (pop) {
            pop();
        }
    }

    public void arithmeticFloat32(int operation, int bits) {
        begin();
        Float80Formats.fromFloat32(unit, bits);
        arithmeticWithMemory(operation);
    }

    public void arithmeticFloat64(int operation, long bits) {
        begin();
        Float80Formats.fromFloat64(unit, bits);
        arithmeticWithMemory(operation);
    }

    public void arithmeticInteger(int operation, long value) {
        begin();
        Float80Formats.fromInteger(unit, value);
        arithmeticWithMemory(operation);
    }

    private void arithmeticWithMemory(int operation) {
        int top = state.top;
        if (empty(top)) {
            if (stackFault(false)) {
                writeIndefinite(top);
            }
            return;
        }
        compute(operation, top, unit.signExponent, unit.significand);
        if (completes()) {
            writeResult(top);
        }
    }

    private void compute(int operation, int t, int bSe, long b) {
        int aSe = state.signExponent[t];
        long a = state.significand[t];
        switch (operation) {
            case ADD -> unit.add(aSe, a, bSe, b);
            case MULTIPLY -> unit.multiply(aSe, a, bSe, b);
            case SUBTRACT -> unit.subtract(aSe, a, bSe, b);
            case SUBTRACT_REVERSED -> unit.subtract(bSe, b, aSe, a);
            case DIVIDE -> unit.divide(aSe, a, bSe, b);
            default -> unit.divide(bSe, b, aSe, a);
        }
    }

    /** Begins an operation on ST(0) alone; false if it is empty and that has been dealt with. */
    private boolean beginUnary() {
        begin();
        if (!empty(state.top)) {
            return true;
        }
        if (stackFault(false)) {
            writeIndefinite(state.top);
        }
        return false;
    }

    private void endUnary() {
        if (completes()) {
            writeResult(state.top);
        }
    }

    public void squareRoot() {
        if (beginUnary()) {
            unit.squareRoot(state.signExponent[state.top], state.significand[state.top]);
            endUnary();
        }
    }

    public void roundToIntegral() {
        if (beginUnary()) {
            Float80Formats.roundToIntegral(
                    unit, state.signExponent[state.top], state.significand[state.top]);
            endUnary();
        }
    }

    public void absolute() {
        if (beginUnary()) {
            state.signExponent[state.top] &= ~Float80.SIGN;
        }
    }

    public void changeSign() {
        if (beginUnary()) {
            state.signExponent[state.top] ^= Float80.SIGN;
        }
    }

    /** FPREM, or FPREM1 if {@code nearest}. */
    public void remainder(boolean nearest) {
        begin();
        int t = state.top;
        int s = physical(1);
        if (empty(t) || empty(s)) {
            state.status &= ~C2;
            if (stackFault(false)) {
                writeIndefinite(t);
            }
            return;
        }
        int codes =
                Float80Scaling.remainder(
                        unit,
                        state.signExponent[t],
                        state.significand[t],
                        state.signExponent[s],
                        state.significand[s],
                        nearest);
        state.status &= ~C2;
        if (codes != Float80Scaling.UNDECIDED) {
            state.status = state.status & ~(C0 | C3) | codes;
        }
        if (completes()) {
            writeResult(t);
        }
    }

    public void scale() {
        begin();
        int t = state.top;
        int s = physical(1);
        if (empty(t) || empty(s)) {
            if (stackFault(false)) {
                writeIndefinite(t);
            }
            return;
        }
        Float80Scaling.scale(
                unit,
                state.signExponent[t],
                state.significand[t],
                state.signExponent[s],
                state.significand[s]);
        endUnary();
    }

    /** FXTRACT. */
    public void extract() {
        begin();
        int source = state.top;
        int target = physical(-1);
        if (empty(source) || !empty(target)) {
            if (stackFault(!empty(source))) {
                writeIndefinite(source);
                state.top = target;
                writeIndefinite(target);
            }
            return;
        }
        int se = state.signExponent[source];
        long sig = state.significand[source];
        Float80Scaling.exponent(unit, se, sig);
        if (!completes()) {
            return;
        }
        writeResult(source);
        Float80Scaling.fraction(unit, se, sig);
        state.top = target;
        writeResult(target);
    }

    // Comparison

    /** FCOM, FUCOM ({@code quiet}) and their popping forms: ST(0) with ST(i). */
    public void compare(int i, boolean quiet, int pops) {
        begin();
        int s = physical(i);
        if (empty(s)) {
            compareWithEmpty(pops);
        } else {
            compareWith(state.signExponent[s], state.significand[s], quiet, pops);
        }
    }

    public void compareFloat32(int bits, int pops) {
        begin();
        Float80Formats.fromFloat32(unit, bits);
        compareWith(unit.signExponent, unit.significand, false, pops);
    }

    public void compareFloat64(long bits, int pops) {
        begin();
        Float80Formats.fromFloat64(unit, bits);
        compareWith(unit.signExponent, unit.significand, false, pops);
    }

    public void compareInteger(long value, int pops) {
        begin();
        Float80Formats.fromInteger(unit, value);
        compareWith(unit.signExponent, unit.significand, false, pops);
    }

    /** FTST. */
    public void test() {
        begin();
        compareWith(0, 0, false, 0);
    }

    private void compareWithEmpty(int pops) {
        state.status |= C0 | C2 | C3;
        if (stackFault(false)) {
            pop(pops);
        }
    }

    private void compareWith(int se, long sig, boolean quiet, int pops) {
        int top = state.top;
        if (empty(top)) {
            compareWithEmpty(pops);
            return;
        }
        int order = unit.compare(state.signExponent[top], state.significand[top], se, sig, quiet);
        // Unlike results, the codes are set even where an unmasked exception keeps the stack as it
        // is.
        int codes = order == 2 ? C0 | C2 | C3 : order == 0 ? C3 : order < 0 ? C0 : 0;
        state.status = state.status & ~(C0 | C2 | C3) | codes;
        if (completes()) {
            pop(pops);
        }
    }

    private void pop(int times) {
        for (int n = 0; n < times; n++) {
            pop();
        }
    }

    /**
     * FCOMI, FUCOMI and their popping forms.
     *
     * @return ZF (40h), PF (4) and CF (1); they are set whatever is unmasked
     */
    public int compareToFlags(int i, boolean quiet, boolean pop) {
        begin();
        int s = physical(i);
        int top = state.top;
        int order = 2;
        boolean completes;
        if (empty(s) || empty(top)) {
            completes = stackFault(false);
        } else {
            order =
                    unit.compare(
                            state.signExponent[top],
                            state.significand[top],
                            state.signExponent[s],
                            state.significand[s],
                            quiet);
            completes = completes();
        }
        if (pop && completes) {
            pop();
        }
        return order == 2 ? 0x45 : order == 0 ? 0x40 : order < 0 ? 1 : 0;
    }

    /** FXAM. */
    public void examine() {
        int top = state.top;
        int se = state.signExponent[top];
        long sig = state.significand[top];
        int codes;
        if (empty(top)) {
            codes = C3 | C0;
        } else if (Float80.unsupported(se, sig)) {
            codes = 0;
        } else if (Float80.nan(se, sig)) {
            codes = C0;
        } else if (Float80.infinite(se, sig)) {
            codes = C2 | C0;
        } else if (sig == 0) {
            codes = C3;
        } else {
            codes = Float80.denormal(se, sig) ? C3 | C2 : C2;
        }
        state.status =
                state.status & ~(C0 | C1 | C2 | C3) | codes | ((se & Float80.SIGN) != 0 ? C1 : 0);
    }

    // Register stack and control

    public void exchange(int i) {
        begin();
        int s = physical(i);
        int top = state.top;
        if (empty(s) || empty(top)) {
            if (!stackFault(false)) {
                return;
            }
            if (empty(s)) {
                writeIndefinite(s);
            }
            if (empty(top)) {
                writeIndefinite(top);
            }
        }
        int se = state.signExponent[s];
        long sig = state.significand[s];
        write(s, state.signExponent[top], state.significand[top]);
        write(top, se, sig);
    }

    /** FCMOVcc. */
    public void move(int i, boolean condition) {
        int s = physical(i);
        if (empty(s) || empty(state.top)) {
            begin();
            if (stackFault(false)) {
                writeIndefinite(state.top);
            }
        } else if (condition) {
            write(state.top, state.signExponent[s], state.significand[s]);
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
        state.valid &= ~(1 << physical(i));
    }

    /** FNINIT. Registers keep their contents but are empty. */
    public void initialise() {
        initialise(state);
    }

    static void initialise(FpuState state) {
        state.control = 0x37f;
        state.status = 0;
        state.top = 0;
        state.valid = 0;
        state.lastInstruction = 0;
        state.lastData = 0;
        state.lastInstructionSelector = 0;
        state.lastDataSelector = 0;
        state.lastOpcode = 0;
    }

    public void clearExceptions() {
        state.status &= ~(EXCEPTIONS | STACK_FAULT | SUMMARY | BUSY);
    }

    public int controlWord() {
        return state.control;
    }

    public void setControlWord(int word) {
        setControlWord(state, word);
    }

    public int statusWord() {
        return statusWord(state);
    }

    static int statusWord(FpuState state) {
        return state.status | state.top << 11;
    }

    static void setControlWord(FpuState state, int word) {
        state.control = word & 0x1f3f | 0x40;
        summarise(state);
    }

    /** Sets status word and TOP; the summary bits follow the exceptions and the masks. */
    static void setStatusWord(FpuState state, int word) {
        state.top = word >>> 11 & 7;
        state.status = word & 0xffff & ~0x3800;
        summarise(state);
    }

    private static void summarise(FpuState state) {
        if ((state.status & ~state.control & EXCEPTIONS) != 0) {
            state.status |= SUMMARY | BUSY;
        } else {
            state.status &= ~(SUMMARY | BUSY);
        }
    }

    /**
     * What an MMX instruction does to the stack: TOP is 0 and every register full (EMMS: empty).
     */
    public void enterMmx(boolean empty) {
        state.top = 0;
        state.valid = empty ? 0 : 0xff;
    }

    // Transcendental functions

    /** F2XM1. */
    public void exponential() {
        if (beginUnary()) {
            functions.exponential(state.signExponent[state.top], state.significand[state.top]);
            endUnary();
        }
    }

    /** FSIN, or FCOS if {@code cosine}. */
    public void sine(boolean cosine) {
        state.status &= ~C2;
        if (!beginUnary() || outOfRange()) {
            return;
        }
        int se = state.signExponent[state.top];
        long sig = state.significand[state.top];
        if (cosine) {
            functions.cosine(se, sig);
        } else {
            functions.sine(se, sig);
        }
        endUnary();
    }

    private boolean outOfRange() {
        if (Float80Functions.inRange(state.signExponent[state.top], state.significand[state.top])) {
            return false;
        }
        state.status |= C2;
        return true;
    }

    /**
     * Begins an operation that replaces ST(0) and pushes; false if a stack fault has been dealt
     * with.
     */
    private boolean beginPushing() {
        begin();
        boolean empty = empty(state.top);
        int target = physical(-1);
        if (!empty && empty(target)) {
            return true;
        }
        if (stackFault(!empty)) {
            writeIndefinite(state.top);
            state.top = target;
            writeIndefinite(target);
        }
        return false;
    }

    /** FSINCOS. */
    public void sineAndCosine() {
        state.status &= ~C2;
        if (!beginPushing() || outOfRange()) {
            return;
        }
        int source = state.top;
        int se = state.signExponent[source];
        long sig = state.significand[source];
        functions.sine(se, sig);
        if (!completes()) {
            return;
        }
        writeResult(source);
        unit.flags &= ~C1;
        state.status &= ~C1;
        functions.cosine(se, sig);
        raise(unit.flags);
        state.top = physical(-1);
        writeResult(state.top);
    }

    /** FPTAN. */
    public void tangent() {
        state.status &= ~C2;
        if (!beginPushing() || outOfRange()) {
            return;
        }
        int source = state.top;
        functions.tangent(state.signExponent[source], state.significand[source]);
        if (!completes()) {
            return;
        }
        writeResult(source);
        state.top = physical(-1);
        if (Float80.nan(unit.signExponent, unit.significand)) {
            writeResult(state.top);
        } else {
            write(state.top, Float80.BIAS, Float80.INTEGER_BIT);
        }
    }

    /** FYL2X. */
    public void logarithm() {
        if (beginDyadic()) {
            int t = state.top;
            int s = physical(1);
            functions.logarithm(
                    state.signExponent[s],
                    state.significand[s],
                    state.signExponent[t],
                    state.significand[t]);
            endDyadic();
        }
    }

    /** FYL2XP1. */
    public void logarithmOfNext() {
        if (beginDyadic()) {
            int t = state.top;
            int s = physical(1);
            functions.logarithmOfNext(
                    state.signExponent[s],
                    state.significand[s],
                    state.signExponent[t],
                    state.significand[t]);
            endDyadic();
        }
    }

    /** FPATAN. */
    public void arctangent() {
        if (beginDyadic()) {
            int t = state.top;
            int s = physical(1);
            functions.arctangent(
                    state.signExponent[s],
                    state.significand[s],
                    state.signExponent[t],
                    state.significand[t]);
            endDyadic();
        }
    }

    private boolean beginDyadic() {
        begin();
        int s = physical(1);
        if (!empty(state.top) && !empty(s)) {
            return true;
        }
        if (stackFault(false)) {
            writeIndefinite(s);
            pop();
        }
        return false;
    }

    private void endDyadic() {
        if (completes()) {
            writeResult(physical(1));
            pop();
        }
    }
}
