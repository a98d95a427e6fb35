package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.List;
import org.javisor.x86.Instruction;

/**
 * SYSCALL, SYSRET, SWAPGS, STAC and CLAC as kernels commonly use them: what is out of the ordinary
 * goes to the interpreter. The interpreter's picture of segments and privilege is brought up to
 * date when translated code is left.
 */
final class PrivilegeTransfers {
    private static final int AC = 0x40000;
    private static final int BIT_1 = 2;

    private final BlockTranslator block;

    PrivilegeTransfers(BlockTranslator block) {
        this.block = block;
    }

    static boolean translated(Instruction i, int context) {
        boolean user = Context.user(context);
        return switch (i.op) {
            case SYSCALL -> user;
            case SYSRET -> !user && i.operandSize == 8;
            case SWAPGS, CLAC -> !user;
            default -> !user && !smapOff(context);
        };
    }

    /** Whether code after STAC or CLAC runs in another context. */
    static boolean changesContext(Instruction i, int context) {
        return i.op == org.javisor.x86.Op.STAC || smapOff(context);
    }

    private static boolean smapOff(int context) {
        return Context.rights(context) == Context.SUPERVISOR_SMAP_OFF;
    }

    private int sibling(int rights) {
        return Context.withRights(block.context(), rights);
    }

    void emit(Instruction i) {
        switch (i.op) {
            case SYSCALL -> systemCall();
            case SYSRET -> systemReturn();
            case SWAPGS -> swapGs();
            case STAC -> stac();
            default -> clac();
        }
    }

    private void swapGs() {
        Assembler a = block.asm;
        int gs = ProcessorBlock.SEGMENT_BASE + 8;
        a.loadState(Gpr.SCRATCH, gs);
        a.loadState(Gpr.ADDRESS, ProcessorBlock.KERNEL_GS_BASE);
        a.storeState(gs, Gpr.ADDRESS);
        a.storeState(ProcessorBlock.KERNEL_GS_BASE, Gpr.SCRATCH);
    }

    private void stac() {
        addToSystemFlags(AC);
        block.jumps().changeContext(sibling(Context.SUPERVISOR_SMAP_OFF));
    }

    /** Where user pages cannot be touched, AC is clear already. */
    private void clac() {
        if (smapOff(block.context())) {
            Assembler a = block.asm;
            a.loadState32(Gpr.SCRATCH, ProcessorBlock.SMAP_ON);
            interpretIfZero();
            addToSystemFlags(-AC);
            block.jumps().changeContext(sibling(Context.SUPERVISOR));
        }
    }

    private void addToSystemFlags(int bits) {
        Assembler a = block.asm;
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.SYSTEM_FLAGS);
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, bits);
        a.storeState32(ProcessorBlock.SYSTEM_FLAGS, Gpr.SCRATCH);
    }

    private void interpretIfZero() {
        Assembler a = block.asm;
        block.interpretCold(List.of(a.jrcxzFarAhead()));
    }

    private void interpretUnlessZero() {
        Assembler a = block.asm;
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, 1);
        block.interpretCold(List.of(a.loopFarAhead()));
    }

    private void systemCall() {
        Assembler a = block.asm;
        a.loadState(Gpr.SCRATCH, ProcessorBlock.SYSCALL_TARGET);
        interpretIfZero();
        block.flagTransfers().gather();
        a.mov(R11, Gpr.SCRATCH);
        a.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        a.lea(Gpr.RCX, Gpr.ADDRESS, block.next());
        a.storeStateImm32(ProcessorBlock.INTERRUPT_FLAG, 0);
        a.storeStateImm32(ProcessorBlock.SYSTEM_FLAGS, BIT_1);
        a.storeStateImm32(ProcessorBlock.PRIVILEGE, ProcessorBlock.ENTERED_KERNEL);
        a.mov(Gpr.ADDRESS, RAX);
        a.movImm32(RAX, BIT_1 << 8);
        Stubs.emitFlagsFromAx(a);
        a.mov(RAX, Gpr.ADDRESS);
        block.jumps().forgetCalls(sibling(Context.SUPERVISOR));
        a.loadState(Gpr.ADDRESS, ProcessorBlock.SYSCALL_TARGET);
        block.jumps().indirectJump(sibling(Context.SUPERVISOR));
    }

    private void systemReturn() {
        Assembler a = block.asm;
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.SYSRET_ON);
        interpretIfZero();
        a.pextState(Gpr.SCRATCH, Gpr.RCX, ProcessorBlock.NOT_USER_ADDRESS_MASK);
        interpretUnlessZero();
        a.pextState(Gpr.SCRATCH, R11, ProcessorBlock.OTHER_FLAGS_MASK);
        interpretUnlessZero();
        a.pextState(Gpr.SCRATCH, R11, ProcessorBlock.INTERRUPT_FLAG_MASK);
        a.pdepState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.INTERRUPT_FLAG_MASK);
        a.storeState32(ProcessorBlock.INTERRUPT_FLAG, Gpr.SCRATCH);
        a.storeStateImm32(ProcessorBlock.SYSTEM_FLAGS, BIT_1);
        a.storeStateImm32(ProcessorBlock.PRIVILEGE, ProcessorBlock.RETURNED_TO_USER);
        block.jumps().recallHeldEvents();
        block.flagTransfers().scatter(R11);
        block.jumps().forgetCalls(sibling(Context.USER));
        a.mov(Gpr.ADDRESS, Gpr.RCX);
        block.jumps().indirectJump(sibling(Context.USER));
    }
}
