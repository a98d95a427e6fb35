package org.javisor.translator;

import java.util.List;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Where the guest's arithmetic flags are while a block is translated: in the host's, put aside, or
 * spoilt but easily made again by repeating the instruction that made them. They are looked at
 * ahead, too: what the program replaces before it looks can be spoilt.
 */
final class FlagState {
    private static final Runnable NOTHING = () -> {};

    /** Host instructions that put the flags aside. */
    private static final int COST_OF_SAVING = 5;

    private final BlockTranslator block;

    /** By instruction: whether nobody looks at the flags from before it. */
    private boolean[] dead = new boolean[0];

    /** The guest's flags are those put aside, the host's are spoilt. */
    private boolean saved;

    /** The host's flags are spoilt, the guest's are what {@link #maker} would make again. */
    private boolean spoilt;

    /** What made the flags, if its operands still are what they were; else null. */
    private Instruction maker;

    private int makerAt;

    /** What was {@link #maker} until the current instruction, which changes its operands. */
    private Instruction changed;

    // The maker, where the block jumps back to its start
    private Instruction loopMaker;
    private int loopMakerAt;

    FlagState(BlockTranslator block) {
        this.block = block;
    }

    void begin(List<Instruction> instructions, boolean lastEndsBlock) {
        saved = false;
        spoilt = false;
        maker = null;
        changed = null;
        int count = instructions.size();
        if (dead.length <= count) {
            dead = new boolean[count + 1];
        }
        dead[count] = false;
        for (int n = count - 1; n >= 0; n--) {
            Instruction i = instructions.get(n);
            dead[n] =
                    !(n == count - 1 && lastEndsBlock)
                            && (FlagEffects.replaces(i) || !FlagEffects.reads(i) && dead[n + 1]);
        }
    }

    /** Whether the program replaces the flags before it looks at them. */
    boolean dead() {
        return dead[block.current()];
    }

    /** Whether the guest's flags are those put aside. */
    boolean saved() {
        return saved;
    }

    /** Before an instruction is translated. */
    void approach(Instruction i, boolean calm) {
        boolean replaces = FlagEffects.replaces(i);
        boolean changes = !replaces && changesMaker(i);
        if (spoilt && (!calm || changes && !block.flagsReplacedNext())) {
            remake(maker, makerAt);
            spoilt = false;
        }
        if (changes) {
            changed = calm ? maker : null;
            maker = null;
        }
    }

    /** After an instruction has been translated. */
    void pass(Instruction i, int at) {
        changed = null;
        if (FlagEffects.replaces(i)) {
            saved = false;
            spoilt = false;
            maker = FlagRecipes.repeatable(i) ? i : null;
            makerAt = at;
        } else if (FlagEffects.reads(i) && !onlyLooks(i)) {
            maker = null;
        }
    }

    private static boolean onlyLooks(Instruction i) {
        return i.op == Op.JCC || i.op == Op.CMOVCC || i.op == Op.SETCC;
    }

    private boolean changesMaker(Instruction i) {
        return maker != null && FlagRecipes.changesOperands(i, maker);
    }

    /**
     * Whether what follows may spoil the host's flags. Puts them aside if that repays.
     *
     * @param shared accesses that share the next probe
     * @param saving what a probe costs less if it may spoil them, in what an instruction costs
     */
    boolean allowSpoiling(int shared, int saving) {
        if (saved) {
            return true;
        }
        if (!dead()) {
            return false;
        }
        if (maker != null || changed != null && block.flagsReplacedNext()) {
            spoilt = true;
            return true;
        }
        if ((block.accessesUntilReplaced() - shared + 1) * saving > COST_OF_SAVING) {
            save();
            return true;
        }
        return false;
    }

    /** Emits, when run, what makes the flags right again if they are spoilt now. */
    Runnable remake() {
        if (!spoilt) {
            return NOTHING;
        }
        Instruction i = maker != null ? maker : changed;
        int at = makerAt;
        return () -> remake(i, at);
    }

    private void remake(Instruction i, int at) {
        FlagRecipes.repeat(block, i, at);
    }

    /** Puts the flags aside; spoils the scratch register for addresses. */
    void save() {
        Assembler a = block.asm;
        block.groups().end();
        a.mov(Gpr.ADDRESS, Assembler.RAX);
        Stubs.emitFlagsToAx(a);
        a.storeState32(ProcessorBlock.SAVED_FLAGS, Assembler.RAX);
        a.mov(Assembler.RAX, Gpr.ADDRESS);
        saved = true;
    }

    void restore() {
        Assembler a = block.asm;
        a.mov(Gpr.ADDRESS, Assembler.RAX);
        a.loadState32(Assembler.RAX, ProcessorBlock.SAVED_FLAGS);
        Stubs.emitFlagsFromAx(a);
        a.mov(Assembler.RAX, Gpr.ADDRESS);
        saved = false;
    }

    /** The host's flags are the guest's again. */
    void made() {
        saved = false;
    }

    /** Whether the host's flags are the guest's. */
    boolean inHost() {
        return !saved && !spoilt;
    }

    // Loops

    /** What made the flags that a jump from here finds, or null. */
    Instruction maker() {
        return inHost() ? maker : null;
    }

    /** The block is about to be translated again, with the flags as they are here. */
    void beginAgain() {
        loopMaker = maker;
        loopMakerAt = makerAt;
    }

    /** At the top of the second translation. */
    void enterLoop() {
        saved = false;
        spoilt = false;
        maker = loopMaker;
        makerAt = loopMakerAt;
    }
}
