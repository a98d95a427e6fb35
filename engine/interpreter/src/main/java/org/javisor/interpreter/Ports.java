package org.javisor.interpreter;

import org.javisor.hypervisor.VcpuIo;

/** A processor's I/O ports. */
final class Ports {
    private final Cpu cpu;
    private final VcpuIo io;
    private long accesses;

    Ports(Cpu cpu, VcpuIo io) {
        this.cpu = cpu;
        this.io = io;
    }

    /**
     * Raises #GP unless CPL or the task's permission bitmap allows the ports (Intel SDM vol. 1,
     * 19.5).
     */
    void check(int port, int size) {
        if (!cpu.control.protectedMode() || cpu.cpl <= cpu.flags.iopl()) {
            return;
        }
        boolean task32 = (cpu.segments.attributes[Cpu.TR] & 8) != 0;
        long limit = cpu.segments.limit[Cpu.TR];
        long task = cpu.segments.base[Cpu.TR];
        if (!task32 || limit < 0x67) {
            throw GuestFault.gp0();
        }
        long map = Descriptors.readSystem(cpu, task + 0x66, 2);
        long at = map + (port >> 3);
        if (at + 1 > limit) {
            throw GuestFault.gp0();
        }
        long bits = Descriptors.readSystem(cpu, task + at, 2) >>> (port & 7);
        if ((bits & (1 << size) - 1) != 0) {
            throw GuestFault.gp0();
        }
    }

    int read(int port, int size) {
        accesses++;
        cpu.vcpu.attention().enterDevice();
        int value = io.readPort(port & 0xffff, size);
        cpu.vcpu.attention().leaveDevice();
        return value;
    }

    void write(int port, int size, int value) {
        accesses++;
        cpu.vcpu.attention().enterDevice();
        io.writePort(port & 0xffff, size, value);
        cpu.vcpu.attention().leaveDevice();
    }

    /** For statistics. */
    long accesses() {
        return accesses;
    }
}
