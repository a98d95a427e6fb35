package org.javisor.x86;

import static org.javisor.x86.X87Stack.C1;
import static org.javisor.x86.X87Stack.C2;

/**
 * The x87's transcendental instructions on the register stack (Intel SDM vol. 1, 8.3.7 to 8.3.10).
 */
public final class X87Functions {
    private final X87Stack stack;
    private final FpuState state;
    private final Float80 unit;
    private final Float80Functions functions;

    X87Functions(X87Stack stack) {
        this.stack = stack;
        state = stack.state;
        unit = stack.unit;
        functions = new Float80Functions(unit);
    }

    /** F2XM1. */
    public void exponential() {
        if (stack.beginUnary()) {
            functions.exponential(state.signExponent[state.top], state.significand[state.top]);
            stack.endUnary();
        }
    }

    /** FSIN, or FCOS if {@code cosine}. */
    public void sine(boolean cosine) {
        state.status &= ~C2;
        if (!stack.beginUnary() || outOfRange()) {
            return;
        }
        int se = state.signExponent[state.top];
        long sig = state.significand[state.top];
        if (cosine) {
            functions.cosine(se, sig);
        } else {
            functions.sine(se, sig);
        }
        stack.endUnary();
    }

    private boolean outOfRange() {
        if (Float80Functions.inRange(state.signExponent[state.top], state.significand[state.top])) {
            return false;
        }
        state.status |= C2;
        return true;
    }

    /** FSINCOS. */
    public void sineAndCosine() {
        state.status &= ~C2;
        if (!stack.beginPushing() || outOfRange()) {
            return;
        }
        int source = state.top;
        int se = state.signExponent[source];
        long sig = state.significand[source];
        functions.sine(se, sig);
        if (!stack.completes()) {
            return;
        }
        stack.writeResult(source);
        unit.flags &= ~C1;
        state.status &= ~C1;
        functions.cosine(se, sig);
        stack.raise(unit.flags);
        state.top = stack.physical(-1);
        stack.writeResult(state.top);
    }

    /** FPTAN. */
    public void tangent() {
        state.status &= ~C2;
        if (!stack.beginPushing() || outOfRange()) {
            return;
        }
        int source = state.top;
        functions.tangent(state.signExponent[source], state.significand[source]);
        if (!stack.completes()) {
            return;
        }
        stack.writeResult(source);
        state.top = stack.physical(-1);
        if (Float80.nan(unit.signExponent, unit.significand)) {
            stack.writeResult(state.top);
        } else {
            stack.write(state.top, Float80.BIAS, Float80.INTEGER_BIT);
        }
    }

    /** FYL2X. */
    public void logarithm() {
        if (beginDyadic()) {
            int t = state.top;
            int s = stack.physical(1);
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
            int s = stack.physical(1);
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
            int s = stack.physical(1);
            functions.arctangent(
                    state.signExponent[s],
                    state.significand[s],
                    state.signExponent[t],
                    state.significand[t]);
            endDyadic();
        }
    }

    private boolean beginDyadic() {
        stack.begin();
        int s = stack.physical(1);
        if (!stack.empty(state.top) && !stack.empty(s)) {
            return true;
        }
        if (stack.stackFault(false)) {
            stack.writeIndefinite(s);
            stack.pop();
        }
        return false;
    }

    private void endDyadic() {
        if (stack.completes()) {
            stack.writeResult(stack.physical(1));
            stack.pop();
        }
    }
}
