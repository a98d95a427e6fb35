package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;
import org.javisor.x86.Instruction;

/**
 * How a block goes on to others: straight where the target is known, by tables where it is
 * computed, and with a look at pending events wherever a loop could close.
 */
final class Jumps {
    private static final int PAGE_SIZE = 4096;

    private final BlockTranslator block;
    private final TranslationCache cache;
    private final Stubs stubs;
    private final List<Jump> jumps = new ArrayList<>();

    /**
     * A jump to another block, emitted but not yet registered.
     *
     * @param guardAt where the constant of a far jump's guard stands, 0 for a jump within the page
     * @param differsAt displacement of the guard's way out
     */
    private record Jump(
            int displacementAt, int context, int targetOffset, int guardAt, int differsAt) {
        Jump(int displacementAt, int context, int targetOffset) {
            this(displacementAt, context, targetOffset, 0, 0);
        }
    }

    Jumps(BlockTranslator block, TranslationCache cache, Stubs stubs) {
        this.block = block;
        this.cache = cache;
        this.stubs = stubs;
    }

    void begin() {
        jumps.clear();
    }

    /** Emits the ways out of jumps that are not linked, and registers them. */
    void finish() {
        Assembler a = block.asm;
        for (Jump jump : jumps) {
            a.bind32(jump.displacementAt);
            if (jump.guardAt != 0) {
                a.bind32(jump.differsAt);
            }
            long start = a.here() - a.size();
            int link =
                    cache.addLink(
                            new Link(
                                    block.block(),
                                    jump.context,
                                    jump.targetOffset,
                                    start + jump.displacementAt,
                                    a.size() - jump.displacementAt - 4,
                                    jump.guardAt == 0 ? -1 : start + jump.guardAt));
            block.exit(link, jump.guardAt == 0 ? ExitReason.LINK : ExitReason.FAR_LINK);
        }
    }

    // Known targets

    /** JCC. The likelier way, on where it leads ahead and back where it closes a loop, is short. */
    void branch(Instruction i) {
        int next = block.next();
        int target = next + (int) i.imm;
        if (target > block.at() && target < PAGE_SIZE) {
            jumps.add(new Jump(jccToLink(i.condition), block.context(), target));
        } else {
            int notTaken = leave(i.condition ^ 1, next);
            pollAndJump(target, block.context());
            if (notTaken != 0) {
                block.asm.bind32(notTaken);
                jumpTo(next, block.context());
            }
            return;
        }
        jumpTo(next, block.context());
    }

    /** JCC that leads ahead, in the midst of a block. */
    void leaveBlock(Instruction i) {
        int target = block.next() + (int) i.imm;
        jumps.add(new Jump(jccToLink(i.condition), block.context(), target));
    }

    /**
     * Goes on elsewhere on a condition; the displacement is to be bound if that is another page.
     */
    private int leave(int condition, int target) {
        if (target >= PAGE_SIZE) {
            return block.asm.jccAhead(condition);
        }
        jumps.add(new Jump(jccToLink(condition), block.context(), target));
        return 0;
    }

    /** The displacement has to lie in one aligned word, to be replaced in one store. */
    private int jccToLink(int condition) {
        block.copied().pad(paddingToAlign(2));
        return block.asm.jccAhead(condition);
    }

    private void alignDisplacement(int opcodeBytes) {
        block.asm.nop(paddingToAlign(opcodeBytes));
    }

    private int paddingToAlign(int opcodeBytes) {
        return (int) -(block.asm.here() + opcodeBytes) & 3;
    }

    /** Goes on at an offset from the page's start, here or on another page. */
    void jumpTo(int target, int context) {
        if (target < 0 || target >= PAGE_SIZE) {
            farJump(target, context);
            return;
        }
        alignDisplacement(1);
        jumps.add(new Jump(block.asm.jmpAhead(), context, target));
    }

    /** The same, looking for events on the way. */
    private void pollAndJump(int target, int context) {
        Assembler a = block.asm;
        boolean here = target >= 0 && target < PAGE_SIZE;
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int site = block.sites().behind();
        if (!here) {
            int event = a.jrcxzFarAhead();
            block.cold(List.of(event), () -> leaveForEvent(target, site));
            farJump(target, context);
            return;
        }
        if (target <= block.at()) {
            block.block().backTo = target;
        }
        int event = a.jrcxzAhead();
        boolean loop = target == block.block().offset && context == block.context();
        if (!loop || !block.closeLoop()) {
            alignDisplacement(1);
            jumps.add(new Jump(a.jmpAhead(), context, target));
        }
        a.bind8(event);
        int cold = a.jmpAhead();
        block.cold(List.of(cold), () -> leaveForEvent(target, site));
    }

    /** Calls code at an offset from the page's start, looking for events on the way. */
    private void pollAndCall(int target) {
        Assembler a = block.asm;
        int context = block.context();
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int site = block.sites().behind();
        int event = a.jrcxzFarAhead();
        block.cold(List.of(event), () -> leaveForEvent(target, site));
        if (target >= 0 && target < PAGE_SIZE) {
            alignDisplacement(1);
            jumps.add(new Jump(a.callAhead(), context, target));
        } else {
            FarGuard guard = farGuard(target, context);
            alignDisplacement(1);
            jumps.add(new Jump(a.callAhead(), context, target, guard.at, guard.differs));
        }
    }

    /**
     * Goes on at an offset that lies on another page: straight there, if the page at that address
     * is the one it was when the jump was linked.
     */
    private void farJump(int target, int context) {
        FarGuard guard = farGuard(target, context);
        alignDisplacement(1);
        int jump = block.asm.jmpAhead();
        jumps.add(new Jump(jump, context, target, guard.at, guard.differs));
    }

    /**
     * What stands in front of a far jump.
     *
     * @param at of its constant
     * @param differs displacement of its way out
     */
    private record FarGuard(int at, int differs) {}

    private FarGuard farGuard(int target, int context) {
        Assembler a = block.asm;
        a.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        a.lea(Gpr.ADDRESS, Gpr.ADDRESS, target);
        a.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.CODE_INDEX_MASK);
        a.memState(Gpr.SCRATCH, 3, ProcessorBlock.codes(context));
        a.loadMem(Gpr.SCRATCH);
        // lea rcx, [rcx + r14 + constant], of 8 bytes, the last 4 of them to be replaced
        a.nop((int) -a.here() & 3);
        a.mem(Gpr.SCRATCH, Gpr.ADDRESS, 0, 0x7fffffff);
        a.leaMem(Gpr.SCRATCH);
        int at = a.size() - 4;
        return new FarGuard(at, a.loopFarAhead());
    }

    // Events

    /** Leaves for an event, to go on at an offset later; no flags are touched. */
    void poll(int target, int left) {
        Assembler a = block.asm;
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int event = a.jrcxzFarAhead();
        int site = block.sites().leaving(left, block.context());
        block.cold(List.of(event), () -> leaveForEvent(target, site));
    }

    /** Leaves for an event before the current instruction; spoils flags and scratch. */
    void pollKeepingRip() {
        Assembler a = block.asm;
        a.memState(ProcessorBlock.QUIET, 1);
        a.aluMemImm8(7, 0);
        int event = a.jccAhead(4);
        int place = block.at();
        int site = block.sites().before();
        block.cold(List.of(event), () -> leaveForEvent(place, site));
    }

    void leaveForEvent(int offset, int site) {
        Assembler a = block.asm;
        a.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        a.lea(Gpr.ADDRESS, Gpr.ADDRESS, offset);
        block.exit(site, ExitReason.EVENT);
    }

    /** Lets the next look for events find those that IF held off. */
    void recallHeldEvents() {
        Assembler a = block.asm;
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.NOTHING_HELD);
        int held = a.jrcxzFarAhead();
        long on = a.here();
        block.cold(
                List.of(held),
                () -> {
                    a.storeStateImm32(ProcessorBlock.QUIET, 0);
                    a.jmp(on);
                });
    }

    // Computed targets

    private void indirectJump() {
        indirectJump(block.context());
    }

    /** Goes on at the linear address in {@link Gpr#ADDRESS}; looks for events on the way. */
    void indirectJump(int context) {
        findTarget(context);
        block.asm.jmpMem();
    }

    /** Sets up where the code for the address in {@link Gpr#ADDRESS} is as memory operand. */
    private void findTarget(int context) {
        Assembler a = block.asm;
        int leaving = block.sites().leaving(0, context);
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        leaveIndirect(a.jrcxzFarAhead(), leaving, ExitReason.EVENT);
        leaveIndirect(
                Stubs.emitFind(a, ProcessorBlock.jumps(context)), leaving, ExitReason.INDIRECT);
    }

    private void leaveIndirect(int jumpHere, int site, int reason) {
        block.cold(List.of(jumpHere), () -> block.exit(site, reason));
    }

    void jump(Instruction i) {
        Assembler a = block.asm;
        switch (i.kind0) {
            case Instruction.REL -> {
                int target = block.next() + (int) i.imm;
                if (target <= block.at()) {
                    pollAndJump(target, block.context());
                } else {
                    jumpTo(target, block.context());
                }
            }
            case Instruction.MEM -> {
                loadTarget(i);
                indirectJump();
            }
            default -> {
                targetRegister(i);
                indirectJump();
            }
        }
    }

    private void loadTarget(Instruction i) {
        Assembler a = block.asm;
        block.probe().operand(i, 8, false, 1, true).set(a);
        a.loadMem(Gpr.ADDRESS);
    }

    private void targetRegister(Instruction i) {
        int target = block.read(i.reg0, Gpr.ADDRESS);
        if (target != Gpr.ADDRESS) {
            block.asm.mov(Gpr.ADDRESS, target);
        }
    }

    // Calls and returns

    void call(Instruction i) {
        Assembler a = block.asm;
        int after = block.next();
        if (i.kind0 == Instruction.MEM) {
            loadTarget(i);
            a.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
            block.groups().end();
        }
        int displacement = block.probe().stack(-8, true);
        a.loadState(Gpr.SCRATCH, ProcessorBlock.PAGE);
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, after);
        a.mem(Gpr.ADDRESS, displacement);
        a.storeMem(Gpr.SCRATCH);
        a.lea(Gpr.RSP, Gpr.RSP, -8);
        boolean onHost = after < PAGE_SIZE;
        if (onHost) {
            expectReturn(after);
        }
        if (i.kind0 == Instruction.REL) {
            int target = after + (int) i.imm;
            if (onHost) {
                pollAndCall(target);
            } else {
                pollAndJump(target, block.context());
            }
        } else {
            if (i.kind0 == Instruction.MEM) {
                a.loadState(Gpr.ADDRESS, ProcessorBlock.TEMPORARY);
            } else {
                targetRegister(i);
            }
            findTarget(block.context());
            if (onHost) {
                a.callMem();
            } else {
                a.jmpMem();
            }
        }
        if (onHost) {
            land(after);
        }
    }

    void ret(Instruction i) {
        Assembler a = block.asm;
        block.probe().stack(0, false, true).set(a);
        a.loadMem(Gpr.ADDRESS);
        a.lea(Gpr.RSP, Gpr.RSP, 8 + (i.kind0 == Instruction.IMM ? (int) i.imm & 0xffff : 0));
        a.storeStateImm32(ProcessorBlock.SITE, block.sites().behind());
        a.emit(0xc3);
    }

    // Calls are the host's, so that its processor foresees the return. Where that comes back to,
    // with the guest's return address in ADDRESS, it is compared with the one that the call has put
    // under the host's own: as long as translated code is not left, which forgets all calls, the
    // same page lies there. A host's return to the wrong place, as after a switch of the guest's
    // stack, only takes longer.

    /** Puts the return address, which is in {@link Gpr#SCRATCH}, on the host's stack. */
    private void expectReturn(int after) {
        Assembler a = block.asm;
        pushExpected();
        a.pextState(Gpr.SCRATCH, Assembler.RSP, ProcessorBlock.CALL_DEPTH_MASK);
        int none = a.jrcxzFarAhead();
        long on = a.here();
        block.cold(
                List.of(none),
                () -> {
                    a.loadState(Assembler.RSP, ProcessorBlock.STACK_BOTTOM);
                    a.loadState(Gpr.SCRATCH, ProcessorBlock.PAGE);
                    a.lea(Gpr.SCRATCH, Gpr.SCRATCH, after);
                    pushExpected();
                    a.jmp(on);
                });
    }

    /**
     * Where a call comes back to. What follows is a block of its own: the one of the call may have
     * been dropped meanwhile, and then its jumps lead there no longer.
     */
    private void land(int after) {
        Assembler a = block.asm;
        a.emit(0x59); // pop rcx
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 2);
        int unexpected = a.loopFarAhead();
        int context = block.context();
        block.cold(List.of(unexpected), () -> a.jmp(stubs.lookUp[context]));
        a.lea(Gpr.ADDRESS, Gpr.ADDRESS, -after);
        a.storeState(ProcessorBlock.PAGE, Gpr.ADDRESS);
        jumpTo(after, context);
    }

    /** The complement of {@link Gpr#SCRATCH}: so the landing can compare without flags. */
    private void pushExpected() {
        block.asm.op(true, 0xf7, 2, Gpr.SCRATCH); // not
        block.asm.emit(0x51); // push rcx
    }

    /** Forgets the host's calls: their returns are not for code in another context. */
    void forgetCalls(int context) {
        Assembler a = block.asm;
        a.loadState(Assembler.RSP, ProcessorBlock.STACK_BOTTOM);
        a.movImm64(Gpr.SCRATCH, stubs.lastReturn[context]);
        a.mem(Assembler.RSP, 0);
        a.storeMem(Gpr.SCRATCH);
    }

    /** Goes on with the next instruction in another context. */
    void changeContext(int context) {
        forgetCalls(context);
        jumpTo(block.next(), context);
    }
}
