package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * Carries out blocks. Where a fault comes up, RIP is put back to the instruction that is to blame,
 * and the fault passed on.
 */
final class BlockRunner {
    private final Cpu cpu;
    private long instructions;

    BlockRunner(Cpu cpu) {
        this.cpu = cpu;
    }

    /** Instructions carried out. */
    long instructions() {
        return instructions;
    }

    /** Runs the block, or as much of it as nothing ends before. */
    void run(Block block) {
        // Between processors the order of accesses counts, and within one method HotSpot may
        // change it; across calls that it does not see through, it cannot.
        Run[] runs = cpu.mmu.sharedMemory() ? Block.NOT_HOT : block.runs();
        if (runs.length != 0) {
            runHot(block, runs);
        } else {
            run(block, block.operations.length);
        }
    }

    private void runHot(Block block, Run[] runs) {
        Cpu c = cpu;
        c.blockEnd = block.operations.length;
        long start = c.rip;
        int n = 0;
        try {
            for (Run run : runs) {
                n += run.execute(c);
                if (c.blockEnd == 0) {
                    break;
                }
            }
        } catch (GuestFault fault) {
            n = block.indexEndingAt(c.rip - start);
            faulted(block.instructions[n], fault);
        } finally {
            instructions += n;
        }
    }

    /**
     * Runs at most so many of the block's instructions.
     *
     * @param limit not 0
     */
    void run(Block block, int limit) {
        Operation[] operations = block.operations;
        var decoded = block.instructions;
        Cpu c = cpu;
        c.blockEnd = limit;
        int n = 0;
        try {
            do {
                var i = decoded[n];
                c.rip += i.length;
                operations[n].execute(c, i);
                n++;
            } while (n < c.blockEnd);
        } catch (GuestFault fault) {
            faulted(decoded[n], fault);
        } finally {
            instructions += n;
        }
    }

    /**
     * Carries out instructions from RIP on without counting any. Each repetition of a string
     * instruction is carried out whole.
     */
    void repeat(BlockFinder finder, long count) {
        long before = instructions;
        try {
            for (long left = count; left > 0; ) {
                Block block = finder.find();
                long start = cpu.rip;
                long from = instructions;
                if (block.operations.length <= left) {
                    run(block);
                } else {
                    run(block, (int) left);
                }
                int done = (int) (instructions - from);
                left -= done;
                if (block.instructions[done - 1].repeated()
                        && cpu.rip == block.startOf(done - 1, start)) {
                    left++;
                }
            }
        } finally {
            instructions = before;
        }
    }

    /** One instruction, which begins at RIP. */
    void run(Instruction i, Operation operation) {
        Cpu c = cpu;
        c.blockEnd = 1;
        c.rip += i.length;
        try {
            operation.execute(c, i);
            instructions++;
        } catch (GuestFault fault) {
            faulted(i, fault);
        }
    }

    private void faulted(Instruction i, GuestFault fault) {
        cpu.rip -= i.length;
        if (fault == GuestFault.NON_CANONICAL && StackAccess.failed(cpu, i)) {
            throw GuestFault.ss0();
        }
        throw fault;
    }
}
