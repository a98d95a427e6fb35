package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * Carries out one kind of instruction. Chosen once, when a block is decoded; called with {@link
 * Cpu#rip} already at the following instruction. Leaves by a {@link GuestFault} before any change
 * of state if the instruction faults.
 */
@FunctionalInterface
interface Handler {
    void execute(Cpu cpu, Instruction i);
}
