package org.javisor.machine;

import org.javisor.device.LocalInterruptController;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.hypervisor.VcpuIo;

/** One processor's way to the board: its own local APIC first, then the buses that all share. */
final class BoardIo implements VcpuIo {
    private static final long PAGE = 0x1000;

    private final PioBus ports;
    private final MmioBus memory;
    private LocalInterruptController apic;

    /** Accesses to the APIC's page; written by the processor's thread only. */
    private long apicAccesses;

    BoardIo(PioBus ports, MmioBus memory) {
        this.ports = ports;
        this.memory = memory;
    }

    /** Must precede the first access: the APIC needs the processor, which needs this. */
    void connect(LocalInterruptController controller) {
        apic = controller;
    }

    long apicAccesses() {
        return apicAccesses;
    }

    @Override
    public int readPort(int port, int size) {
        return ports.read(port, size);
    }

    @Override
    public void writePort(int port, int size, int value) {
        ports.write(port, size, value);
    }

    @Override
    public long readMmio(long gpa, int size) {
        long base = apic.mmioBase();
        if (base != -1 && inPage(gpa - base, size)) {
            apicAccesses++;
            return apic.readMmio((int) (gpa - base), size);
        }
        return memory.read(gpa, size);
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {
        long base = apic.mmioBase();
        if (base != -1 && inPage(gpa - base, size)) {
            apicAccesses++;
            apic.writeMmio((int) (gpa - base), size, value);
            return;
        }
        memory.write(gpa, size, value);
    }

    private static boolean inPage(long offset, int size) {
        return Long.compareUnsigned(offset, PAGE - size) <= 0;
    }
}
