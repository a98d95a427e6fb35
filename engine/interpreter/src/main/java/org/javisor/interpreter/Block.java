package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.javisor.x86.Instruction;

/**
 * A run of instructions that begins at one offset of a page and ends with the page or with the
 * first instruction that may go elsewhere. Shared by all processors of a machine.
 */
final class Block {
    /** No block has more bytes than this. */
    static final int LONGEST = 4096 + 15;

    /**
     * So many instructions make a block worth a {@link Run}: compiling one costs HotSpot about as
     * much as executing these without.
     */
    static final int HOT_INSTRUCTIONS = 2_000_000;

    static final Run[] NOT_HOT = {};

    final Operation[] operations;
    final Instruction[] instructions;

    /**
     * For the single instruction that begins on this page and ends on the next: that page, as it
     * was when the instruction was decoded; else null. A page that was written is another one.
     */
    final CodePage second;

    /** Written without synchronisation: processors may miscount, or write the same runs twice. */
    private Run[] runs = NOT_HOT;

    private int executionsUntilHot;

    /**
     * @param hotInstructions so many make it hot: {@link #HOT_INSTRUCTIONS} but in tests
     */
    Block(
            Operation[] operations,
            Instruction[] instructions,
            CodePage second,
            int hotInstructions) {
        this.operations = operations;
        this.instructions = instructions;
        this.second = second;
        this.executionsUntilHot = hotInstructions / instructions.length;
    }

    /**
     * What executes the block in one piece; empty until it is hot. To be asked once for each
     * execution.
     */
    Run[] runs() {
        Run[] current = runs;
        if (current == NOT_HOT && --executionsUntilHot < 0) {
            current = RunWriter.write(this);
            // Another processor that sees the array sees its elements.
            VarHandle.releaseFence();
            runs = current;
        }
        return current;
    }

    /** Where the instruction with an index stands, if the block begins at an address. */
    long startOf(int index, long start) {
        for (int n = 0; n < index; n++) {
            start += instructions[n].length;
        }
        return start;
    }

    /** The index of the instruction that ends so many bytes after the block's start. */
    int indexEndingAt(long offset) {
        int n = 0;
        for (long end = instructions[0].length; end != offset; end += instructions[n].length) {
            n++;
        }
        return n;
    }

    /**
     * As much of the block as fits into so many bytes.
     *
     * @throws GuestFault if not even the first instruction does
     */
    Block within(long bytes) {
        int count = 0;
        while (count < instructions.length && instructions[count].length <= bytes) {
            bytes -= instructions[count].length;
            count++;
        }
        if (count == instructions.length) {
            return this;
        }
        if (count == 0) {
            throw GuestFault.gp0();
        }
        return new Block(
                Arrays.copyOf(operations, count),
                Arrays.copyOf(instructions, count),
                second,
                HOT_INSTRUCTIONS);
    }
}
