package org.javisor.device;

/**
 * An I/O APIC's snapshot.
 *
 * @param redirection 24 entries of 64 bits
 * @param lines levels of the inputs, one bit each
 */
public record IoApicState(int version, int select, int id, long[] redirection, int lines)
        implements DeviceState {}
