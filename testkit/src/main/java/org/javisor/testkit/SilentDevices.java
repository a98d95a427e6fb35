package org.javisor.testkit;

import org.javisor.hypervisor.VcpuIo;

/** A bus with nothing on it; tests override what they look at. */
public class SilentDevices implements VcpuIo {
    @Override
    public int readPort(int port, int size) {
        return -1;
    }

    @Override
    public void writePort(int port, int size, int value) {}

    @Override
    public long readMmio(long gpa, int size) {
        return -1;
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {}
}
