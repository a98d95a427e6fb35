package org.javisor.x86;

/**
 * The x87's register stack with tags and exceptions, as its operations use it (Intel SDM vol. 1,
 * 8.1.2 to 8.1.8 and 8.4).
 */
final class X87Stack {
    // Bits of the status word
    static final int STACK_FAULT = 0x40;
    static final int SUMMARY = 0x80;
    static final int C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000;
    static final int BUSY = 0x8000;
    static final int EXCEPTIONS = 0x3f;

    final FpuState state;

    /** The accumulator of all operations. */
    final Float80 unit = new Float80();

    X87Stack(FpuState state) {
        this.state = state;
    }

    int physical(int i) {
        return state.top + i & 7;
    }

    boolean empty(int physical) {
        return (state.valid >>> physical & 1) == 0;
    }

    void write(int physical, int signExponent, long significand) {
        state.signExponent[physical] = signExponent;
        state.significand[physical] = significand;
        state.valid |= 1 << physical;
    }

    void writeResult(int physical) {
        write(physical, unit.signExponent, unit.significand);
    }

    void writeIndefinite(int physical) {
        write(physical, Float80.INDEFINITE_SIGN_EXPONENT, Float80.INDEFINITE_SIGNIFICAND);
    }

    void pop() {
        state.valid &= ~(1 << state.top);
        state.top = state.top + 1 & 7;
    }

    void begin() {
        unit.begin(state.control);
        state.status &= ~C1;
    }

    /** Takes over the exceptions and C1 of the operation. */
    void raise(int flags) {
        state.status |= flags & (EXCEPTIONS | C1 | STACK_FAULT);
        if ((flags & EXCEPTIONS & ~state.control) != 0) {
            state.status |= SUMMARY | BUSY;
        }
    }

    /** Raises the invalid operation of a stack fault; whether it is masked. */
    boolean stackFault(boolean overflow) {
        raise(Float80.IE | STACK_FAULT | (overflow ? C1 : 0));
        return (state.control & Float80.IE) != 0;
    }

    boolean completes() {
        raise(unit.flags);
        return !unit.aborted();
    }

    void pop(int times) {
        for (int n = 0; n < times; n++) {
            pop();
        }
    }

    boolean overflows() {
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

    void push() {
        if (!overflows()) {
            state.top = physical(-1);
            writeResult(state.top);
        }
    }

    /** Begins an operation on ST(0) alone; false if it is empty and that has been dealt with. */
    boolean beginUnary() {
        begin();
        if (!empty(state.top)) {
            return true;
        }
        if (stackFault(false)) {
            writeIndefinite(state.top);
        }
        return false;
    }

    void endUnary() {
        if (completes()) {
            writeResult(state.top);
        }
    }

    /**
     * Begins an operation that replaces ST(0) and pushes; false if a stack fault has been dealt
     * with.
     */
    boolean beginPushing() {
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

    // The state as a whole

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
}
