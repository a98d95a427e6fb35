/**
 * The interpreter engine: guest instructions carried out in Java, on any host.
 *
 * <p>{@link org.javisor.interpreter.InterpreterHypervisor} is all that others see. Inside, one file
 * is one idea: {@code InterpreterVcpu} runs blocks that {@code BlockDecoder} made and {@code
 * CodeCache} keeps by physical page; {@code Cpu} is the state that handlers work on; {@code Mmu} is
 * the TLB and {@code PageWalker} what fills it; {@code Interrupts}, {@code Descriptors} and {@code
 * FarTransfers} are protected mode; the {@code …Handlers} are the instructions by family.
 *
 * <p>Not emulated: virtual-8086 mode, hardware task switching, system management mode, performance
 * counters, memory types, alignment checking (#AC).
 */
package org.javisor.interpreter;
