package org.javisor.translator;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.interpreter.Replay;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.UndefinedFlags;

/**
 * Has the interpreter carry out again whatever one processor's translated code carries out, and
 * compares.
 *
 * <p>Translated code runs for a stretch: as long as it is not left, but no more than {@link
 * #BLOCKS} blocks, so that links, the jump table and the host's returns are used as always. Pages
 * are writable to it only once they have been copied. Afterwards the interpreter begins where the
 * stretch did, sees the copies, carries out as many instructions, and must arrive at the same
 * registers and the same memory. What the interpreter does itself, devices and time among it, comes
 * between stretches and happens once.
 *
 * <p>A difference is looked for again with stretches of one block, to find the first.
 */
final class Lockstep {
    private static final int BLOCKS = 64;

    /** After so many pages a stretch ends soon. */
    private static final int MOST_PAGES = 64;

    private static final long SETTLING_MILLIS = 20;

    /** What came of a comparison. */
    enum Verdict {
        /** Both agree. */
        SAME,

        /** They may differ, but not by the translator's fault: its state counts. */
        EXCUSED,

        /** Registers and memory have been put back to where the stretch began. */
        AGAIN
    }

    private final GuestProcessor processor;
    private final ProcessorBlock state;
    private final AddressTables tables;
    private final TranslationCache cache;
    private final Replay replay;
    private final LockstepState runner = new LockstepState();
    private final LockstepState interpreter = new LockstepState();

    private boolean active;
    private long instructionsBefore;

    // What of the TLB has been made writable, to be withdrawn
    private int[] writable = new int[64];
    private int writableCount;

    /** Instructions to be carried out block by block, to find a difference again. */
    private long narrowLeft;

    private String lastDifference = "";
    private String lastReport = "";
    private TranslatedBlock lastBlock;

    // Figures
    private long stretches;
    private long compared;
    private long disturbed;
    private long undefined;

    /** Of the slow comparison: tainted flags, and whether anything has looked at some. */
    private int tainted;

    private boolean excused;

    Lockstep(
            GuestProcessor processor,
            ProcessorBlock state,
            AddressTables tables,
            TranslationCache cache) {
        this.tables = tables;
        this.processor = processor;
        this.state = state;
        this.cache = cache;
        this.replay = processor.replay();
    }

    // Hooks of the runner

    /** Translated code is about to be entered. */
    void entering(long rip, TranslatedBlock block) {
        if (active) {
            return;
        }
        active = true;
        lastBlock = block;
        processor.setRip(rip);
        replay.begin();
        for (int n = 0; n < writableCount; n++) {
            state.clearTlbWrite(writable[n] >>> 16, writable[n] & 0xffff);
        }
        if (writableCount > 0) {
            tables.forgetSlots();
        }
        writableCount = 0;
        instructionsBefore = state.get64(ProcessorBlock.INSTRUCTIONS);
        state.put32(ProcessorBlock.BLOCKS_LEFT, narrowLeft > 0 ? 1 : BLOCKS);
    }

    /** It was not entered after all. */
    void notEntered() {
        active = false;
    }

    /** A page is about to become writable to translated code. */
    void writing(int context, long linear, long gpa, long host) {
        if (replay.writing(gpa, host) > MOST_PAGES) {
            state.put32(ProcessorBlock.QUIET, 0);
        }
        if (writableCount == writable.length) {
            writable = Arrays.copyOf(writable, 2 * writableCount);
        }
        writable[writableCount++] = context << 16 | ProcessorBlock.tlbIndex(linear);
    }

    /** Translated code has read the time. */
    void timestamp(long ticks) {
        replay.timestamp(ticks);
    }

    /**
     * A stretch is over.
     *
     * @param rip where translated code was left
     * @param flagsSaved whether the flags are those put aside
     * @param remaining instructions that were counted, but not carried out
     * @throws LockstepDifference what was looked for
     */
    Verdict left(long rip, boolean flagsSaved, long remaining) {
        active = false;
        long count = state.get64(ProcessorBlock.INSTRUCTIONS) - instructionsBefore - remaining;
        stretches++;
        compared += count;
        runner.takeFrom(processor, state, rip, flagsSaved);
        String difference = compare(count);
        if (difference.isEmpty()) {
            narrow(count);
            runner.giveTo(processor);
            return Verdict.SAME;
        }
        if (excused(count)) {
            narrow(count);
            runner.giveTo(processor);
            return Verdict.EXCUSED;
        }
        compare(count);
        String report =
                new LockstepReport(processor, replay, cache, runner, interpreter)
                        .write(difference, count, lastBlock);
        if (narrowLeft > 0 || state.get32(ProcessorBlock.BLOCKS_LEFT) == BLOCKS - 1) {
            throw new LockstepDifference(difference, report);
        }
        lastDifference = difference;
        lastReport = report;
        narrowLeft = Math.max(count, 1);
        replay.undo();
        state.put64(ProcessorBlock.INSTRUCTIONS, instructionsBefore);
        return Verdict.AGAIN;
    }

    /** A jump left the address space: what the interpreter makes of it is not compared. */
    void leftUncompared() {
        active = false;
    }

    private void narrow(long count) {
        if (narrowLeft > 0) {
            narrowLeft -= Math.max(count, 1);
            if (narrowLeft <= 0) {
                throw new LockstepDifference(
                        lastDifference + ", and only when blocks follow each other", lastReport);
            }
        }
    }

    // Comparing

    /** What differs, in a line, or nothing. */
    private String compare(long count) {
        Optional<String> obstacle = replay.carryOut(count);
        if (obstacle.isEmpty()) {
            obstacle = finishRepetition();
        }
        interpreter.takeFrom(processor);
        if (obstacle.isPresent()) {
            return "The interpreter " + obstacle.get();
        }
        String difference = runner.difference(interpreter);
        if (!difference.isEmpty()) {
            return difference;
        }
        return replay.memoryAgrees() ? "" : "Memory";
    }

    /** A repeated string instruction may have been left in the middle. */
    private Optional<String> finishRepetition() {
        long done = processor.registers()[1] - runner.registers[1];
        if (processor.rip() != runner.rip || done <= 0) {
            return Optional.empty();
        }
        Optional<Instruction> next = replay.next();
        if (next.isEmpty() || !next.get().repeated()) {
            return Optional.empty();
        }
        return next.get().op == Op.MOVS || next.get().op == Op.STOS
                ? replay.repetitions(done)
                : Optional.empty();
    }

    /** Whether a difference is explained by something else than a fault of the translator. */
    private boolean excused(long count) {
        if (leftUndefined(count)) {
            undefined++;
            return true;
        }
        if (disturbed()) {
            disturbed++;
            return true;
        }
        return false;
    }

    /** Whether both differ only in what the architecture leaves open, or because of it. */
    private boolean leftUndefined(long count) {
        tainted = 0;
        excused = false;
        Optional<String> obstacle = replay.carryOut(count, this::observe);
        if (obstacle.isEmpty()) {
            obstacle = finishRepetition();
        }
        interpreter.takeFrom(processor);
        runner.ignoreFlags(tainted, interpreter);
        return obstacle.isEmpty()
                && (excused || runner.difference(interpreter).isEmpty() && replay.memoryAgrees());
    }

    /** A device that has just written may not have said so yet. */
    private boolean disturbed() {
        if (!replay.disturbed()) {
            try {
                Thread.sleep(SETTLING_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return replay.disturbed();
    }

    private void observe(Instruction i) {
        excused |= (UndefinedFlags.read(i) & tainted) != 0 || approximate(i.op) || undocumented(i);
        long rcx = processor.registers()[1];
        tainted = tainted & UndefinedFlags.kept(i) | UndefinedFlags.after(i, rcx);
    }

    /** D9 D8 to D9 DF: stores and pops, but which exceptions it raises differs. */
    private boolean undocumented(Instruction i) {
        return i.op == Op.FSTP
                && i.kind0 == Instruction.ST
                && processor.memory().read8(processor.translateFetch(processor.rip())) == 0xd9;
    }

    /** Whether results are approximations, which processors may round differently. */
    private static boolean approximate(Op op) {
        return switch (op) {
            case FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1 -> true;
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS -> true;
            default -> false;
        };
    }

    // Figures

    void count(Map<String, Long> counters) {
        counters.merge("verify.stretches", stretches, Long::sum);
        counters.merge("verify.instructions", compared, Long::sum);
        counters.merge("verify.disturbed", disturbed, Long::sum);
        counters.merge("verify.undefined", undefined, Long::sum);
    }
}
