package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * A {@link Handler} as the run loop calls it: a class of its own, so that the call is one through
 * the virtual method table, straight to code into which HotSpot has compiled the handler. An
 * interface's method takes several dependent loads more to find (measured: 136 against 160 million
 * guest instructions a second).
 */
abstract class Operation {
    abstract void execute(Cpu cpu, Instruction i);

    abstract Handler handler();
}
