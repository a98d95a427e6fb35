package org.javisor.kvm;

import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.VcpuIo;

/** Answers a processor's exits for ports, memory-mapped registers and MSRs. Allocates nothing. */
final class DeviceExits {
    private final RunPage page;
    private final VcpuIo io;

    DeviceExits(RunPage page, VcpuIo io) {
        this.page = page;
        this.io = io;
    }

    void transferPort() {
        int size = page.ioSize();
        int count = page.ioCount();
        int port = page.ioPort();
        if (page.ioOut()) {
            for (int n = 0; n < count; n++) {
                io.writePort(port, size, page.ioData(n, size));
            }
        } else {
            for (int n = 0; n < count; n++) {
                page.putIoData(n, size, io.readPort(port, size));
            }
        }
    }

    void transferMemory() {
        int length = page.mmioLength();
        long gpa = page.mmioAddress();
        // The kernel splits accesses at pages' borders; devices know powers of two only.
        boolean whole = length == 8 || length == 4 || length == 2 || length == 1;
        if (page.mmioWrite()) {
            long value = page.mmioData();
            if (whole) {
                io.writeMmio(gpa, length, length == 8 ? value : value & (1L << 8 * length) - 1);
            } else {
                for (int n = 0; n < length; n++) {
                    io.writeMmio(gpa + n, 1, value >>> 8 * n & 0xff);
                }
            }
        } else if (whole) {
            page.putMmioData(io.readMmio(gpa, length));
        } else {
            long value = 0;
            for (int n = 0; n < length; n++) {
                value |= (io.readMmio(gpa + n, 1) & 0xff) << 8 * n;
            }
            page.putMmioData(value);
        }
    }

    void readMsr(LocalInterruptController controller) {
        int msr = page.msrIndex();
        boolean known = LocalInterruptController.ownsMsr(msr) && controller.canReadMsr(msr);
        page.answerMsr(known, known ? controller.readMsr(msr) : 0);
    }

    void writeMsr(LocalInterruptController controller) {
        int msr = page.msrIndex();
        boolean taken =
                LocalInterruptController.ownsMsr(msr) && controller.writeMsr(msr, page.msrData());
        page.answerMsr(taken, page.msrData());
    }
}
