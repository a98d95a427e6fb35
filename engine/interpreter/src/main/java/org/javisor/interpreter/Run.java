package org.javisor.interpreter;

/**
 * Some consecutive instructions of a hot {@link Block} in one method, made by {@link RunWriter}.
 */
abstract class Run {
    /**
     * Executes the instructions, RIP being at the first.
     *
     * @return how many were completed: fewer than there are if one ended the block
     * @throws GuestFault with RIP after the faulting instruction
     */
    abstract int execute(Cpu cpu);
}
