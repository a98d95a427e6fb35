package org.javisor.x86;

import static org.javisor.x86.X87Stack.C0;
import static org.javisor.x86.X87Stack.C1;
import static org.javisor.x86.X87Stack.C2;
import static org.javisor.x86.X87Stack.C3;

/** The x87's comparisons and classification (Intel SDM vol. 1, 8.3.6). */
public final class X87Comparison {
    private final X87Stack stack;
    private final FpuState state;
    private final Float80 unit;

    X87Comparison(X87Stack stack) {
        this.stack = stack;
        state = stack.state;
        unit = stack.unit;
    }

    /** FCOM, FUCOM ({@code quiet}) and their popping forms: ST(0) with ST(i). */
    public void withRegister(int i, boolean quiet, int pops) {
        stack.begin();
        int s = stack.physical(i);
        if (stack.empty(s)) {
            withEmpty(pops);
        } else {
            with(state.signExponent[s], state.significand[s], quiet, pops);
        }
    }

    public void withFloat32(int bits, int pops) {
        stack.begin();
        Float80Formats.fromFloat32(unit, bits);
        with(unit.signExponent, unit.significand, false, pops);
    }

    public void withFloat64(long bits, int pops) {
        stack.begin();
        Float80Formats.fromFloat64(unit, bits);
        with(unit.signExponent, unit.significand, false, pops);
    }

    public void withInteger(long value, int pops) {
        stack.begin();
        Float80Formats.fromInteger(unit, value);
        with(unit.signExponent, unit.significand, false, pops);
    }

    /** FTST. */
    public void withZero() {
        stack.begin();
        with(0, 0, false, 0);
    }

    private void withEmpty(int pops) {
        state.status |= C0 | C2 | C3;
        if (stack.stackFault(false)) {
            stack.pop(pops);
        }
    }

    private void with(int se, long sig, boolean quiet, int pops) {
        int top = state.top;
        if (stack.empty(top)) {
            withEmpty(pops);
            return;
        }
        int order =
                Float80Arithmetic.compare(
                        unit, state.signExponent[top], state.significand[top], se, sig, quiet);
        // Unlike results, the codes are set even where an unmasked exception keeps the stack as it
        // is.
        int codes = order == 2 ? C0 | C2 | C3 : order == 0 ? C3 : order < 0 ? C0 : 0;
        state.status = state.status & ~(C0 | C2 | C3) | codes;
        if (stack.completes()) {
            stack.pop(pops);
        }
    }

    /**
     * FCOMI, FUCOMI and their popping forms.
     *
     * @return ZF (40h), PF (4) and CF (1); they are set whatever is unmasked
     */
    public int toFlags(int i, boolean quiet, boolean pop) {
        stack.begin();
        int s = stack.physical(i);
        int top = state.top;
        int order = 2;
        boolean completes;
        if (stack.empty(s) || stack.empty(top)) {
            completes = stack.stackFault(false);
        } else {
            order =
                    Float80Arithmetic.compare(
                            unit,
                            state.signExponent[top],
                            state.significand[top],
                            state.signExponent[s],
                            state.significand[s],
                            quiet);
            completes = stack.completes();
        }
        if (pop && completes) {
            stack.pop();
        }
        return order == 2 ? 0x45 : order == 0 ? 0x40 : order < 0 ? 1 : 0;
    }

    /** FXAM. */
    public void examine() {
        int top = state.top;
        int se = state.signExponent[top];
        long sig = state.significand[top];
        int codes;
        if (stack.empty(top)) {
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
}
