package org.javisor.x86;

import static org.javisor.x86.X87Stack.C0;
import static org.javisor.x86.X87Stack.C2;
import static org.javisor.x86.X87Stack.C3;

/**
 * The x87's arithmetic on the register stack and with memory operands (Intel SDM vol. 1, 8.3.5).
 */
public final class X87Arithmetic {
    /** Dyadic operations; the reversed ones take the destination as the second operand. */
    public static final int ADD = 0,
            MULTIPLY = 1,
            SUBTRACT = 4,
            SUBTRACT_REVERSED = 5,
            DIVIDE = 6,
            DIVIDE_REVERSED = 7;

    private final X87Stack stack;
    private final FpuState state;
    private final Float80 unit;

    X87Arithmetic(X87Stack stack) {
        this.stack = stack;
        state = stack.state;
        unit = stack.unit;
    }

    /** ST(target) = ST(target) op ST(source). */
    public void withRegister(int operation, int target, int source, boolean pop) {
        stack.begin();
        int t = stack.physical(target);
        int s = stack.physical(source);
        if (stack.empty(t) || stack.empty(s)) {
            if (!stack.stackFault(false)) {
                return;
            }
            stack.writeIndefinite(t);
        } else {
            compute(operation, t, state.signExponent[s], state.significand[s]);
            if (!stack.completes()) {
                return;
            }
            stack.writeResult(t);
        }
        if (pop) {
            stack.pop();
        }
    }

    public void withFloat32(int operation, int bits) {
        stack.begin();
        Float80Formats.fromFloat32(unit, bits);
        withMemory(operation);
    }

    public void withFloat64(int operation, long bits) {
        stack.begin();
        Float80Formats.fromFloat64(unit, bits);
        withMemory(operation);
    }

    public void withInteger(int operation, long value) {
        stack.begin();
        Float80Formats.fromInteger(unit, value);
        withMemory(operation);
    }

    private void withMemory(int operation) {
        int top = state.top;
        if (stack.empty(top)) {
            if (stack.stackFault(false)) {
                stack.writeIndefinite(top);
            }
            return;
        }
        compute(operation, top, unit.signExponent, unit.significand);
        if (stack.completes()) {
            stack.writeResult(top);
        }
    }

    private void compute(int operation, int t, int bSe, long b) {
        int aSe = state.signExponent[t];
        long a = state.significand[t];
        switch (operation) {
            case ADD -> Float80Arithmetic.add(unit, aSe, a, bSe, b);
            case MULTIPLY -> Float80Arithmetic.multiply(unit, aSe, a, bSe, b);
            case SUBTRACT -> Float80Arithmetic.subtract(unit, aSe, a, bSe, b);
            case SUBTRACT_REVERSED -> Float80Arithmetic.subtract(unit, bSe, b, aSe, a);
            case DIVIDE -> Float80Arithmetic.divide(unit, aSe, a, bSe, b);
            default -> Float80Arithmetic.divide(unit, bSe, b, aSe, a);
        }
    }

    public void squareRoot() {
        if (stack.beginUnary()) {
            Float80Arithmetic.squareRoot(
                    unit, state.signExponent[state.top], state.significand[state.top]);
            stack.endUnary();
        }
    }

    public void roundToIntegral() {
        if (stack.beginUnary()) {
            Float80Formats.roundToIntegral(
                    unit, state.signExponent[state.top], state.significand[state.top]);
            stack.endUnary();
        }
    }

    public void absolute() {
        if (stack.beginUnary()) {
            state.signExponent[state.top] &= ~Float80.SIGN;
        }
    }

    public void changeSign() {
        if (stack.beginUnary()) {
            state.signExponent[state.top] ^= Float80.SIGN;
        }
    }

    /** FPREM, or FPREM1 if {@code nearest}. */
    public void remainder(boolean nearest) {
        stack.begin();
        int t = state.top;
        int s = stack.physical(1);
        if (stack.empty(t) || stack.empty(s)) {
            state.status &= ~C2;
            if (stack.stackFault(false)) {
                stack.writeIndefinite(t);
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
        if (stack.completes()) {
            stack.writeResult(t);
        }
    }

    public void scale() {
        stack.begin();
        int t = state.top;
        int s = stack.physical(1);
        if (stack.empty(t) || stack.empty(s)) {
            if (stack.stackFault(false)) {
                stack.writeIndefinite(t);
            }
            return;
        }
        Float80Scaling.scale(
                unit,
                state.signExponent[t],
                state.significand[t],
                state.signExponent[s],
                state.significand[s]);
        stack.endUnary();
    }

    /** FXTRACT. */
    public void extract() {
        if (!stack.beginPushing()) {
            return;
        }
        int source = state.top;
        int se = state.signExponent[source];
        long sig = state.significand[source];
        Float80Scaling.exponent(unit, se, sig);
        if (!stack.completes()) {
            return;
        }
        stack.writeResult(source);
        Float80Scaling.fraction(unit, se, sig);
        state.top = stack.physical(-1);
        stack.writeResult(state.top);
    }
}
