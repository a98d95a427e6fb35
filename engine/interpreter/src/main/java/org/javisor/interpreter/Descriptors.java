package org.javisor.interpreter;

/**
 * Descriptor tables and the loading of segment registers in protected and long mode (Intel SDM vol.
 * 3A, 3.4, 5.6 and 5.8; vol. 2, MOV, LLDT, LTR).
 */
final class Descriptors {
    private Descriptors() {}

    // Parts of a descriptor's eight bytes

    static int attributes(long descriptor) {
        return (int) (descriptor >>> 40) & 0xf0ff;
    }

    static long base(long descriptor) {
        return descriptor >>> 16 & 0xffffff | descriptor >>> 32 & 0xff000000L;
    }

    static long limit(long descriptor) {
        long raw = descriptor & 0xffff | descriptor >>> 32 & 0xf0000;
        return (attributes(descriptor) & Segments.GRANULAR) != 0 ? raw << 12 | 0xfff : raw;
    }

    static int type(long descriptor) {
        return (int) (descriptor >>> 40) & 0xf;
    }

    static boolean notSystem(long descriptor) {
        return (descriptor & 1L << 44) != 0;
    }

    static boolean code(long descriptor) {
        return (descriptor & (1L << 44 | 1L << 43)) == (1L << 44 | 1L << 43);
    }

    static boolean conforming(long descriptor) {
        return (descriptor & 1L << 42) != 0;
    }

    /** Of data: may be written; of code: may be read. */
    static boolean writableOrReadable(long descriptor) {
        return (descriptor & 1L << 41) != 0;
    }

    static int dpl(long descriptor) {
        return (int) (descriptor >>> 45) & 3;
    }

    static boolean present(long descriptor) {
        return (descriptor & 1L << 47) != 0;
    }

    static boolean longCode(long descriptor) {
        return (descriptor & 1L << 53) != 0;
    }

    static boolean big(long descriptor) {
        return (descriptor & 1L << 54) != 0;
    }

    static boolean isNull(int selector) {
        return (selector & 0xfffc) == 0;
    }

    /** The linear address of a selector's descriptor, or -1 if it lies outside its table. */
    static long address(Cpu c, int selector, int bytes) {
        long table;
        long limit;
        if ((selector & 4) != 0) {
            if ((c.segments.attributes[Cpu.LDTR] & Segments.PRESENT) == 0) {
                return -1;
            }
            table = c.segments.base[Cpu.LDTR];
            limit = c.segments.limit[Cpu.LDTR];
        } else {
            table = c.control.gdtBase;
            limit = c.control.gdtLimit;
        }
        int offset = selector & 0xfff8;
        return offset + bytes - 1 > limit ? -1 : table + offset;
    }

    /** Reads with the processor's own rights, whatever the CPL. */
    static long readSystem(Cpu c, long linear, int size) {
        c.mmu.enterSystem();
        try {
            return c.mmu.read(linear, size);
        } finally {
            c.mmu.leaveSystem();
        }
    }

    static void writeSystem(Cpu c, long linear, int size, long value) {
        c.mmu.enterSystem();
        try {
            c.mmu.write(linear, size, value);
        } finally {
            c.mmu.leaveSystem();
        }
    }

    /** A selector's descriptor; {@code vector}(selector) if it lies outside its table. */
    static long read(Cpu c, int selector, int vector) {
        long at = address(c, selector, 8);
        if (at == -1) {
            throw GuestFault.of(vector, selector & 0xfffc);
        }
        return readSystem(c, at, 8);
    }

    /** Sets the accessed bit of a code or data descriptor in its table. */
    static long markAccessed(Cpu c, int selector, long descriptor) {
        if ((descriptor & 1L << 40) == 0) {
            long at = address(c, selector, 8);
            writeSystem(c, at + 5, 1, descriptor >>> 40 & 0xff | 1);
        }
        return descriptor | 1L << 40;
    }

    static void install(Cpu c, int register, int selector, long descriptor) {
        c.segments.set(
                register, selector, base(descriptor), limit(descriptor), attributes(descriptor));
    }

    /** Loads ES, SS, DS, FS or GS as MOV and POP do. */
    static void load(Cpu c, int register, int selector) {
        if (!c.control.protectedMode()) {
            c.segments.setReal(register, selector);
            return;
        }
        if (register == Cpu.SS) {
            loadStack(c, selector, c.cpl);
            return;
        }
        if (isNull(selector)) {
            loadNull(c, register, selector);
            return;
        }
        long descriptor = read(c, selector, GuestFault.GP);
        int rpl = selector & 3;
        boolean readable =
                notSystem(descriptor) && (!code(descriptor) || writableOrReadable(descriptor));
        boolean privileged = !code(descriptor) || !conforming(descriptor);
        if (!readable || privileged && (rpl > dpl(descriptor) || c.cpl > dpl(descriptor))) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        if (!present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc);
        }
        install(c, register, selector, markAccessed(c, selector, descriptor));
    }

    private static void loadNull(Cpu c, int register, int selector) {
        c.segments.setNull(register, selector);
        if (c.control.longMode() && register >= Cpu.FS) {
            // Intel's processors clear the base with a null selector; Linux relies on neither.
            c.segments.base[register] = 0;
        }
    }

    /** Loads SS for a privilege level; faults are #GP, #SS (not present). */
    static void loadStack(Cpu c, int selector, int cpl) {
        loadStack(c, selector, cpl, GuestFault.GP);
    }

    static void loadStack(Cpu c, int selector, int cpl, int vector) {
        if (isNull(selector)) {
            if (!c.code64 || cpl == 3 || (selector & 3) != cpl) {
                throw GuestFault.of(vector, vector == GuestFault.TS ? selector & 0xfffc : 0);
            }
            setNullStack(c, selector, cpl);
            return;
        }
        long descriptor = stackDescriptor(c, selector, cpl, vector);
        install(c, Cpu.SS, selector, markAccessed(c, selector, descriptor));
    }

    static void setNullStack(Cpu c, int selector, int cpl) {
        c.segments.set(Cpu.SS, selector, 0, 0xffffffffL, cpl << 5);
    }

    /** Checks a stack selector and returns its descriptor without loading it. */
    static long stackDescriptor(Cpu c, int selector, int cpl, int vector) {
        if (isNull(selector)) {
            throw GuestFault.of(vector, 0);
        }
        long descriptor = read(c, selector, vector);
        boolean data = notSystem(descriptor) && !code(descriptor) && writableOrReadable(descriptor);
        if (!data || (selector & 3) != cpl || dpl(descriptor) != cpl) {
            throw GuestFault.of(vector, selector & 0xfffc);
        }
        if (!present(descriptor)) {
            throw GuestFault.of(GuestFault.SS, selector & 0xfffc);
        }
        return descriptor;
    }

    /**
     * Takes over a code segment that the caller has checked; the selector's RPL becomes {@code
     * cpl}.
     */
    static void installCode(Cpu c, int selector, long descriptor, int cpl) {
        install(c, Cpu.CS, selector & 0xfffc | cpl, markAccessed(c, selector, descriptor));
        c.vcpu.codeSegmentChanged(cpl);
    }

    static void loadLdt(Cpu c, int selector) {
        if (isNull(selector)) {
            c.segments.set(Cpu.LDTR, selector, 0, 0, 0);
            return;
        }
        long descriptor = systemDescriptor(c, selector, 2, -1);
        c.segments.set(
                Cpu.LDTR,
                selector,
                systemBase(c, selector, descriptor),
                limit(descriptor),
                attributes(descriptor));
    }

    static void loadTask(Cpu c, int selector) {
        if (isNull(selector)) {
            throw GuestFault.gp0();
        }
        long descriptor = systemDescriptor(c, selector, 9, c.control.longMode() ? -1 : 1);
        long base = systemBase(c, selector, descriptor);
        writeSystem(c, address(c, selector, 8) + 5, 1, descriptor >>> 40 & 0xff | 2);
        c.segments.set(Cpu.TR, selector, base, limit(descriptor), attributes(descriptor) | 2);
    }

    private static long systemDescriptor(Cpu c, int selector, int type, int otherType) {
        int bytes = c.control.longMode() ? 16 : 8;
        long at = (selector & 4) != 0 ? -1 : address(c, selector, bytes);
        if (at == -1) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        long descriptor = readSystem(c, at, 8);
        boolean fits = type(descriptor) == type || type(descriptor) == otherType;
        if (notSystem(descriptor) || !fits) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        if (!present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc);
        }
        return descriptor;
    }

    private static long systemBase(Cpu c, int selector, long descriptor) {
        if (!c.control.longMode()) {
            return base(descriptor);
        }
        long upper = readSystem(c, address(c, selector, 16) + 8, 8);
        long base = base(descriptor) | upper << 32;
        boolean looksLikeDescriptor = (upper >>> 40 & 0x1f) != 0;
        if (looksLikeDescriptor || base << 16 >> 16 != base) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        return base;
    }
}
