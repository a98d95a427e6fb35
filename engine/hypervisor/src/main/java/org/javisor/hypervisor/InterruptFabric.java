package org.javisor.hypervisor;

import org.javisor.device.InterruptLine;
import org.javisor.device.IoApicState;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.PicPairState;
import org.javisor.device.PitState;

/**
 * Interrupt controllers and timer of an engine's own in place of the machine's: a PC's two 8259A,
 * an I/O APIC with 24 inputs, a local APIC for each processor, an 8254 with port 61h. They answer
 * at their usual addresses by themselves; the machine has no such chips then and leads its wires
 * here.
 *
 * <p>Wires may be driven from any thread; driving one that belongs to a device's lock is allowed.
 */
public interface InterruptFabric {
    /** Takes the messages of PCI functions. */
    MessageInterrupts messages();

    /**
     * ISA interrupt 1 to 15, wired to the PIC and the I/O APIC, as on a PC. 0 is the timer's, which
     * is wired already: to the PIC's input 0 and the I/O APIC's input 2.
     */
    InterruptLine isa(int irq);

    /** Input 0 to 15 of the PICs alone. */
    InterruptLine pic(int input);

    /** Input 16 to 23 of the I/O APIC. */
    InterruptLine ioApic(int input);

    /**
     * Sets the PICs' edge/level registers (ports 4D0h and 4D1h), as firmware does.
     *
     * @param inputs one bit each: level-triggered
     */
    void setLevelTriggered(int inputs);

    /** The state after power-on; the devices have taken their interrupts back. */
    void reset();

    /** Everything but the local APICs, which belong to their processors. */
    State save();

    /** Takes over a state; the timer's counters start their period anew. */
    void restore(State state);

    /**
     * @param speaker the timer's channel 2 is led to a speaker: bit 1 of port 61h
     */
    record State(PicPairState pics, IoApicState ioApic, PitState pit, boolean speaker) {}
}
