package org.javisor.device;

/**
 * Where message-signalled interrupts go: the part of a machine's interrupt controllers that takes
 * the memory writes by which PCI functions interrupt (PCI Express Base Specification 5.0, 6.1.4;
 * their form on x86: Intel SDM vol. 3A, 11.11 "Message signalled interrupts").
 *
 * <p>The local APICs of a software engine are one, an in-kernel interrupt controller is another.
 */
@FunctionalInterface
public interface MessageInterrupts {
    /** Takes messages and forgets them. */
    MessageInterrupts UNCONNECTED = (address, data) -> {};

    /**
     * Sends one message: an edge, nothing to be taken back. Whatever the guest programmed is
     * allowed; what is no interrupt message is ignored. May be called from any thread and with a
     * device's lock held; never blocks and never calls back into a device.
     *
     * @param address guest-physical, of 64 bits: {@code FEExxxxxh} on x86
     * @param data what is written there
     */
    void deliver(long address, int data);
}
