package org.javisor.hypervisor;

/**
 * Answers a processor's accesses that do not go to RAM. Called on the vCPU's thread in the middle
 * of an instruction; must not call back into the vCPU except for its pins and {@link
 * Vcpu#requestExit}, must not throw, and allocates nothing on the common path. Sizes are in bytes;
 * values are in the low bytes, zero above.
 */
public interface VcpuIo {
    int readPort(int port, int size);

    void writePort(int port, int size, int value);

    /**
     * @param size 1, 2, 4 or 8
     */
    long readMmio(long gpa, int size);

    void writeMmio(long gpa, int size, long value);
}
