package org.javisor.chipset;

/**
 * Where an I/O APIC sends its interrupt messages (82093AA data sheet, 3.2.4: redirection table).
 */
@FunctionalInterface
public interface InterruptMessageBus {
    /**
     * Never blocks; may be called with the sender's lock held.
     *
     * @param destination APIC ID or, if {@code logical}, a set of processors; 8 bits
     * @param mode delivery mode, as in bits 8 to 10 of a redirection entry
     * @param level whether the interrupt is level-triggered and so needs its end broadcast
     */
    void deliver(int destination, boolean logical, int mode, int vector, boolean level);
}
