package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * A run of instructions that begins at one offset of a page and ends with the page or with the
 * first instruction that may go elsewhere. Immutable and shared by all processors of a machine.
 */
final class Block {
    final Operation[] operations;
    final Instruction[] instructions;

    /**
     * For the single instruction that begins on this page and ends on the next: guest-physical
     * address of the next page when it was decoded; else -1.
     */
    final long secondPage;

    Block(Operation[] operations, Instruction[] instructions, long secondPage) {
        this.operations = operations;
        this.instructions = instructions;
        this.secondPage = secondPage;
    }
}
