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
    private BlockPlan plan;

    /** By instruction: whether nobody looks at the flags from before it. */
    private boolean[] dead = new boolean[0];

    /** The guest's flags are those put aside, the host's are spoilt. */
    private boolean saved;

    /** The host's flags are spoilt, the guest's are what {@link #recipe} would make again. */
    private boolean spoilt;

    /** How to make the flags again, if it is known; else null. */
    private FlagRecipe recipe;

    /** What was {@link #recipe} until the current instruction, which changes its operands. */
    private FlagRecipe changed;

    /** That of the current instruction, if its operand was kept; else null. */
    private FlagRecipe next;

    /** The recipe where the block jumps back to its start. */
    private FlagRecipe loopRecipe;

    FlagState(BlockTranslator block) {
        this.block = block;
    }

    void begin(BlockPlan newPlan) {
        plan = newPlan;
        List<Instruction> instructions = plan.instructions();
        boolean lastEndsBlock = plan.endsBlock(instructions.getLast());
        saved = false;
        spoilt = false;
        recipe = null;
        changed = null;
        next = null;
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
        boolean changes = !replaces && recipe != null && recipe.changedBy(i);
        boolean keeps = changes && calm && keepingRepays();
        if (!calm
                || FlagEffects.reads(i)
                || changes && !keeps && !(dead() && plan.flagsReplacedNext(block.current()))) {
            makeAgain();
        }
        if (keeps) {
            recipe = recipe.keepFrom(block, i);
        } else if (changes) {
            changed = calm ? recipe : null;
            recipe = null;
        }
        if (replaces && calm && keepingRepays()) {
            if (FlagRecipe.needsSource(i)) {
                next = FlagRecipe.keepSource(block, i, block.at());
            } else if (plan.accessesUntilReplaced(block.current() + 1) > 1) {
                next = FlagRecipe.keepingMemory(i, block.at());
            }
        }
    }

    /**
     * The field in which the current instruction is to keep its operand in memory, or less than 0.
     */
    int memoryField() {
        return next != null && next.maker().hasMemory() ? next.memoryField() : -1;
    }

    /** Has the host's flags be the guest's again if what made them can be repeated. */
    void makeAgain() {
        if (spoilt) {
            recipe.make(block);
            spoilt = false;
        }
    }

    /** Whether keeping operands lets accesses behind the current instruction spoil the flags. */
    private boolean keepingRepays() {
        int following = block.current() + 1;
        return block.busy() && dead[following] && plan.accessesUntilReplaced(following) > 0;
    }

    /** After an instruction has been translated. */
    void pass(Instruction i, int at) {
        changed = null;
        if (FlagEffects.replaces(i)) {
            saved = false;
            spoilt = false;
            recipe = next != null ? next : FlagRecipe.of(i, at);
            next = null;
        } else if (FlagEffects.reads(i) && !onlyLooks(i)) {
            recipe = null;
        }
    }

    private static boolean onlyLooks(Instruction i) {
        return i.op == Op.JCC || i.op == Op.CMOVCC || i.op == Op.SETCC;
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
            spoilt |= repeatingRepays(shared, saving);
            return spoilt;
        }
        if (recipe != null || changed != null && plan.flagsReplacedNext(block.current())) {
            spoilt = true;
            return true;
        }
        int accesses = plan.accessesUntilReplaced(block.current()) - shared + 1;
        if (accesses * saving > COST_OF_SAVING) {
            save();
            return true;
        }
        return false;
    }

    /** Whether it is cheaper to spoil flags that the program looks at, and to make them again. */
    private boolean repeatingRepays(int shared, int saving) {
        if (recipe == null || !block.busy()) {
            return false;
        }
        int accesses = plan.accessesUntilRead(block.current());
        return accesses > 0 && Math.max(accesses - shared + 1, 1) * saving > recipe.cost();
    }

    /** Emits, when run, what makes the flags right again if they are spoilt now. */
    Runnable remake() {
        if (!spoilt) {
            return NOTHING;
        }
        FlagRecipe known = recipe != null ? recipe : changed;
        return () -> known.make(block);
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

    /** Whether it is known what made the flags that a jump from here finds. */
    boolean makerKnown() {
        return inHost() && recipe != null && recipe.asLeft();
    }

    /** The block is about to be translated again, with the flags as they are here. */
    void beginAgain() {
        loopRecipe = recipe;
    }

    /** At the top of the second translation. */
    void enterLoop() {
        saved = false;
        spoilt = false;
        recipe = loopRecipe;
    }
}
