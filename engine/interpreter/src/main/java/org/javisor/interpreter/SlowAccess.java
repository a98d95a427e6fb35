package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.memory.GuestMemory;

/**
 * Data accesses that the TLB has no entry for: the first one to a page, those across two pages,
 * those to tracked and to watched pages, those to devices.
 */
final class SlowAccess {
    private final Mmu mmu;
    private final Cpu cpu;
    private final GuestMemory memory;
    private final VcpuIo io;

    // Figures
    long mmioReads;
    long mmioWrites;

    SlowAccess(Mmu mmu, Cpu cpu, GuestMemory memory, VcpuIo io) {
        this.mmu = mmu;
        this.cpu = cpu;
        this.memory = memory;
        this.io = io;
    }

    /** Zero-extended from RAM; from a device as it answers. */
    long read(long address, int size) {
        long linear = mmu.wrap(address);
        if ((linear & 0xfff) + size > 4096) {
            int first = (int) (4096 - (linear & 0xfff));
            mmu.checkReadable(linear, size);
            long low = readBytes(linear, first);
            return low | readBytes(mmu.wrap(linear + first), size - first) << 8 * first;
        }
        long gpa = mmu.translate(linear, 0);
        long value;
        long host = mmu.hostOf(gpa, linear);
        if (host != 0) {
            value = Mmu.readHost(host, size);
        } else {
            mmioReads++;
            cpu.vcpu.attention().enterDevice();
            value = io.readMmio(gpa, size);
            cpu.vcpu.attention().leaveDevice();
        }
        noteAccess(linear, size, false);
        return value;
    }

    private long readBytes(long linear, int count) {
        long value = 0;
        for (int n = 0; n < count; n++) {
            value |= read(linear + n, 1) << 8 * n;
        }
        return value;
    }

    void write(long address, int size, long value) {
        long linear = mmu.wrap(address);
        if ((linear & 0xfff) + size > 4096) {
            mmu.checkWritable(linear, size);
            for (int n = 0; n < size; n++) {
                write(mmu.wrap(linear + n), 1, value >>> 8 * n & 0xff);
            }
            return;
        }
        long gpa = mmu.translate(linear, PageWalker.WRITE);
        long host = mmu.hostOf(gpa, linear);
        if (host != 0) {
            Mmu.writeHost(host, size, value);
            noteWritten(gpa, size);
        } else {
            mmioWrites++;
            cpu.vcpu.attention().enterDevice();
            io.writeMmio(gpa, size, value & Cpu.mask(size));
            cpu.vcpu.attention().leaveDevice();
        }
        noteAccess(linear, size, true);
    }

    /**
     * To be called after a store to RAM: a processor that decodes meanwhile either sees the new
     * bytes or is told.
     */
    void noteWritten(long gpa, int size) {
        if (mmu.replaying()) {
            return;
        }
        if (mmu.sharedMemory()) {
            // Who marks the page after this question reads what was stored before it.
            VarHandle.fullFence();
        }
        if (memory.isTracked(gpa)) {
            memory.written(gpa, size);
            cpu.endBlock();
        }
    }

    /** To be called after an access that the TLB did not serve. */
    void noteAccess(long linear, int size, boolean write) {
        if (mmu.watches(linear)) {
            cpu.vcpu.stops().access(linear, size, write);
        }
    }
}
