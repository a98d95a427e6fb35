package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.X87Environment;

/**
 * The x87's control instructions: words, environment, whole state. They leave the last-instruction
 * pointers alone.
 */
final class X87ControlHandlers {
    private X87ControlHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case WAIT -> X87ControlHandlers::wait;
            case FNINIT -> X87ControlHandlers::fninit;
            case FNCLEX -> X87ControlHandlers::fnclex;
            case FNSTCW -> X87ControlHandlers::fnstcw;
            case FLDCW -> X87ControlHandlers::fldcw;
            case FNSTSW -> X87ControlHandlers::fnstsw;
            case FNSTENV -> X87ControlHandlers::fnstenv;
            case FLDENV -> X87ControlHandlers::fldenv;
            case FNSAVE -> X87ControlHandlers::fnsave;
            case FRSTOR -> X87ControlHandlers::frstor;
            default -> null;
        };
    }

    private static void wait(Cpu c, Instruction i) {
        long both = ControlRegisters.CR0_MP | ControlRegisters.CR0_TS;
        if ((c.control.cr0 & both) == both) {
            throw GuestFault.of(GuestFault.NM);
        }
        X87Handlers.checkPending(c);
    }

    private static void fninit(Cpu c, Instruction i) {
        c.requireFpu();
        c.x87.initialise();
    }

    private static void fnclex(Cpu c, Instruction i) {
        c.requireFpu();
        c.x87.clearExceptions();
    }

    private static void fnstcw(Cpu c, Instruction i) {
        c.requireFpu();
        c.store16(i, c.x87.controlWord());
    }

    private static void fldcw(Cpu c, Instruction i) {
        X87Handlers.checkReady(c);
        c.x87.setControlWord(c.load16(i));
    }

    private static void fnstsw(Cpu c, Instruction i) {
        c.requireFpu();
        c.setOperand0(i, 2, c.x87.statusWord());
    }

    /** 2 or 4: which of the two layouts. */
    private static int layout(Instruction i) {
        return i.operandSize == 2 ? 2 : 4;
    }

    private static boolean realMode(Cpu c) {
        return !c.control.protectedMode() || c.flags.has(Flags.VM);
    }

    private static void fnstenv(Cpu c, Instruction i) {
        c.requireFpu();
        X87Environment.write(c.fpu, c.fpuArea, layout(i), realMode(c));
        c.storeBytes(i, c.fpuArea, X87Environment.size(layout(i)));
        c.x87.setControlWord(c.x87.controlWord() | 0x3f);
    }

    private static void fldenv(Cpu c, Instruction i) {
        X87Handlers.checkReady(c);
        c.loadBytes(i, c.fpuArea, X87Environment.size(layout(i)));
        X87Environment.read(c.fpu, c.fpuArea, layout(i), realMode(c));
    }

    private static void fnsave(Cpu c, Instruction i) {
        c.requireFpu();
        int environment = X87Environment.size(layout(i));
        X87Environment.write(c.fpu, c.fpuArea, layout(i), realMode(c));
        X87Environment.writeRegisters(c.fpu, c.fpuArea, environment);
        c.storeBytes(i, c.fpuArea, environment + 80);
        c.x87.initialise();
    }

    private static void frstor(Cpu c, Instruction i) {
        X87Handlers.checkReady(c);
        int environment = X87Environment.size(layout(i));
        c.loadBytes(i, c.fpuArea, environment + 80);
        X87Environment.read(c.fpu, c.fpuArea, layout(i), realMode(c));
        X87Environment.readRegisters(c.fpu, c.fpuArea, environment);
    }
}
