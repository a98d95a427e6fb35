package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.memory.Atomic128;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;

/**
 * A processor's data accesses by linear address: a software TLB in front of the {@link PageWalker}.
 *
 * <p>The TLB is direct-mapped, once for each way in which permissions can differ: supervisor,
 * supervisor with SMAP suspended (EFLAGS.AC), user. An entry is a page's linear address as the tag,
 * once for reading and once for writing, and the distance from there to the host address. Only RAM
 * is entered, for writing only pages that nobody tracks; everything else goes the slow way each
 * time.
 *
 * <p>The tag is compared with the page of the access's last byte: an access that crosses into the
 * next page cannot match, because that page would be in another entry.
 */
final class Mmu {
    private static final int ENTRIES = 1024;
    private static final int SUPERVISOR = 0, SUPERVISOR_SMAP_OFF = ENTRIES, USER = 2 * ENTRIES;
    private static final long PAGE = -4096;

    /** Never the address of a page. */
    private static final long EMPTY = 1;

    private static final int FETCH_ENTRIES = 512;

    private final long[] readTag = new long[3 * ENTRIES];
    private final long[] writeTag = new long[3 * ENTRIES];
    private final long[] toHost = new long[3 * ENTRIES];
    private final boolean[] global = new boolean[3 * ENTRIES];

    /** Page size by entry, as a shift: 12, 21, 22 or 30. */
    private final byte[] pageShift = new byte[3 * ENTRIES];

    private boolean largePages;

    // Whether entries of pages that are not global were made since the last flush of these: beside
    // a runner of code there often were none
    private boolean dataEntered;
    private boolean fetchEntered;

    private final long[] fetchTag = new long[2 * FETCH_ENTRIES];
    private final CodePage[] fetchPage = new CodePage[2 * FETCH_ENTRIES];
    private final boolean[] fetchGlobal = new boolean[2 * FETCH_ENTRIES];

    private final Atomic128 atomic128 = new Atomic128();
    private final InterpreterVm vm;
    private final GuestMemory memory;
    private final VcpuIo io;
    private final PageWalker walker;

    /** The processor whose accesses these are; set once, right after construction. */
    private Cpu cpu;

    /** First entry of the current context. */
    private int context;

    private boolean user;
    private boolean smapSuspended;

    /**
     * Ranges of linear addresses, first and last byte of each, whose accesses the processor wants
     * to be told of: their pages are never entered into the TLB.
     */
    private long[] watched = {};

    /** Misses of the data TLB, for statistics. */
    long misses;

    long mmioReads;
    long mmioWrites;

    Mmu(InterpreterVm vm, VcpuIo io) {
        this.vm = vm;
        this.memory = vm.memory();
        this.io = io;
        this.walker = new PageWalker(memory);
        flushAll();
    }

    void attach(Cpu owner) {
        cpu = owner;
        walker.attach(owner.control);
    }

    PageWalker walker() {
        return walker;
    }

    /** Whether another processor may write what this one writes. */
    boolean sharedMemory() {
        return vm.multiprocessor();
    }

    // Context

    /** To be called when CPL, EFLAGS.AC or the paging controls change. */
    void updateContext() {
        user = cpu.cpl == 3;
        smapSuspended = !cpu.control.has4(ControlRegisters.CR4_SMAP) || cpu.flags.has(Flags.AC);
        context = user ? USER : smapSuspended ? SUPERVISOR_SMAP_OFF : SUPERVISOR;
    }

    /**
     * Begins accesses the processor makes for itself (descriptor tables, TSS); to be paired with
     * {@link #leaveSystem}.
     */
    void enterSystem() {
        user = false;
        smapSuspended = false;
        context = SUPERVISOR;
    }

    void leaveSystem() {
        updateContext();
    }

    /**
     * @param ranges first and last byte of each
     */
    void watchRanges(long[] ranges) {
        if (!Arrays.equals(ranges, watched)) {
            watched = ranges;
            flushAll();
        }
    }

    /** Whether a page has watched bytes. */
    private boolean watches(long linear) {
        long page = linear & PAGE;
        for (int n = 0; n < watched.length; n += 2) {
            long first = watched[n] & PAGE;
            if (Long.compareUnsigned(page - first, watched[n + 1] - first) <= 0) {
                return true;
            }
        }
        return false;
    }

    private void noteAccess(long linear, int size, boolean write) {
        if (watched.length != 0 && watches(linear)) {
            cpu.vcpu.watch(linear, size, write);
        }
    }

    // Flushing

    void flushAll() {
        Arrays.fill(readTag, EMPTY);
        Arrays.fill(writeTag, EMPTY);
        Arrays.fill(fetchTag, EMPTY);
        largePages = false;
        if (cpu != null) {
            cpu.vcpu.codeRunner().flushAll();
        }
        leaveCodePage();
    }

    void flushNonGlobal() {
        for (int n = 0; n < readTag.length && dataEntered; n++) {
            if (!global[n]) {
                readTag[n] = EMPTY;
                writeTag[n] = EMPTY;
            }
        }
        for (int n = 0; n < fetchTag.length && fetchEntered; n++) {
            if (!fetchGlobal[n]) {
                fetchTag[n] = EMPTY;
            }
        }
        dataEntered = false;
        fetchEntered = false;
        cpu.vcpu.codeRunner().flushNonGlobal();
        leaveCodePage();
    }

    void flushPage(long linear) {
        cpu.vcpu.codeRunner().flushPage(linear);
        long page = linear & PAGE;
        if (largePages) {
            for (int n = 0; n < readTag.length; n++) {
                int shift = pageShift[n];
                if (shift > 12
                        && ((readTag[n] ^ linear) >>> shift == 0
                                || (writeTag[n] ^ linear) >>> shift == 0)) {
                    readTag[n] = EMPTY;
                    writeTag[n] = EMPTY;
                }
            }
            Arrays.fill(fetchTag, EMPTY);
        }
        int n = (int) (linear >>> 12) & ENTRIES - 1;
        for (int set = 0; set < 3 * ENTRIES; set += ENTRIES) {
            if (readTag[set + n] == page || writeTag[set + n] == page) {
                readTag[set + n] = EMPTY;
                writeTag[set + n] = EMPTY;
            }
        }
        int f = (int) (linear >>> 12) & FETCH_ENTRIES - 1;
        fetchTag[f] = EMPTY;
        fetchTag[f + FETCH_ENTRIES] = EMPTY;
        leaveCodePage();
    }

    private void leaveCodePage() {
        if (cpu != null) {
            cpu.vcpu.leaveCodePage();
        }
    }

    /**
     * Forgets permissions to write a guest-physical page, or all (-1), without notice. Called by
     * other threads: a store that is under way meanwhile is waited for by who reads the page, and
     * an entry that is being made is checked again by who makes it.
     */
    void revokeWrites(long pageGpa) {
        if (pageGpa == -1) {
            Arrays.fill(writeTag, EMPTY);
            return;
        }
        long host = memory.hostAddress(pageGpa);
        for (int n = 0; n < writeTag.length; n++) {
            if (writeTag[n] + toHost[n] == host) {
                writeTag[n] = EMPTY;
            }
        }
    }

    // Reading

    int read8(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear & PAGE)) {
            return RawMemory.getByte(linear + toHost[n]) & 0xff;
        }
        return (int) readSlow(linear, 1);
    }

    int read16(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 1 & PAGE)) {
            return RawMemory.getShort(linear + toHost[n]) & 0xffff;
        }
        return (int) readSlow(linear, 2);
    }

    int read32(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 3 & PAGE)) {
            return RawMemory.getInt(linear + toHost[n]);
        }
        return (int) readSlow(linear, 4);
    }

    long read64(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 7 & PAGE)) {
            return RawMemory.getLong(linear + toHost[n]);
        }
        return readSlow(linear, 8);
    }

    /** Zero-extended. */
    long read(long linear, int size) {
        return switch (size) {
            case 1 -> read8(linear);
            case 2 -> read16(linear);
            case 4 -> read32(linear) & 0xffffffffL;
            default -> read64(linear);
        };
    }

    // Writing

    void write8(long linear, int value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear & PAGE)) {
            RawMemory.putByte(linear + toHost[n], (byte) value);
        } else {
            writeSlow(linear, 1, value);
        }
    }

    void write16(long linear, int value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 1 & PAGE)) {
            RawMemory.putShort(linear + toHost[n], (short) value);
        } else {
            writeSlow(linear, 2, value);
        }
    }

    void write32(long linear, int value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 3 & PAGE)) {
            RawMemory.putInt(linear + toHost[n], value);
        } else {
            writeSlow(linear, 4, value);
        }
    }

    void write64(long linear, long value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 7 & PAGE)) {
            RawMemory.putLong(linear + toHost[n], value);
        } else {
            writeSlow(linear, 8, value);
        }
    }

    void write(long linear, int size, long value) {
        switch (size) {
            case 1 -> write8(linear, (int) value);
            case 2 -> write16(linear, (int) value);
            case 4 -> write32(linear, (int) value);
            default -> write64(linear, value);
        }
    }

    /** As {@link #read}, for the stack in 64-bit code. */
    long readStack(long linear, int size) {
        return size == 8 ? read64(linear) : read(linear, size);
    }

    /** As {@link #write}, for the stack in 64-bit code. */
    void writeStack(long linear, int size, long value) {
        if (size == 8) {
            write64(linear, value);
        } else {
            write(linear, size, value);
        }
    }

    /**
     * The host address at which an operand may be read and written in one piece, or 0 if it takes
     * the slow way (page crossing, tracked page, not RAM, not entered and faulting).
     */
    long writableHost(long linear, int size) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + size - 1 & PAGE)) {
            return linear + toHost[n];
        }
        if ((linear & 0xfff) + size > 4096) {
            return 0;
        }
        translate(linear, PageWalker.WRITE);
        return writeTag[n] == (linear & PAGE) ? linear + toHost[n] : 0;
    }

    /** The host address of readable RAM up to the end of its page, or 0 for the slow way. */
    long readableHost(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear & PAGE)) {
            return linear + toHost[n];
        }
        translate(linear, 0);
        return readTag[n] == (linear & PAGE) ? linear + toHost[n] : 0;
    }

    static long readHost(long host, int size) {
        return switch (size) {
            case 1 -> RawMemory.getByte(host) & 0xff;
            case 2 -> RawMemory.getShort(host) & 0xffff;
            case 4 -> RawMemory.getInt(host) & 0xffffffffL;
            default -> RawMemory.getLong(host);
        };
    }

    static void writeHost(long host, int size, long value) {
        switch (size) {
            case 1 -> RawMemory.putByte(host, (byte) value);
            case 2 -> RawMemory.putShort(host, (short) value);
            case 4 -> RawMemory.putInt(host, (int) value);
            default -> RawMemory.putLong(host, value);
        }
    }

    /** Faults as a write to the range would, without writing. */
    void checkWritable(long linear, int length) {
        check(linear, length, PageWalker.WRITE);
    }

    void checkReadable(long linear, int length) {
        check(linear, length, 0);
    }

    private void check(long linear, int length, int access) {
        long last = wrap(linear + length - 1);
        for (long at = linear; ; at = wrap((at & PAGE) + 4096)) {
            translate(at, access);
            if ((at & PAGE) == (last & PAGE)) {
                return;
            }
        }
    }

    private long wrap(long linear) {
        return cpu.code64 || cpu.control.longMode() ? linear : linear & 0xffffffffL;
    }

    // The slow way

    private long readSlow(long linear, int size) {
        linear = wrap(linear);
        if ((linear & 0xfff) + size > 4096) {
            int first = (int) (4096 - (linear & 0xfff));
            checkReadable(linear, size);
            long low = readBytes(linear, first);
            return low | readBytes(wrap(linear + first), size - first) << 8 * first;
        }
        long gpa = translate(linear, 0);
        long value;
        long host = memory.hostAddress(gpa);
        if (host != 0) {
            value = readHost(host, size);
        } else {
            mmioReads++;
            cpu.vcpu.enterDevice();
            value = io.readMmio(gpa, size);
            cpu.vcpu.leaveDevice();
        }
        noteAccess(linear, size, false);
        return value;
    }

    private long readBytes(long linear, int count) {
        long value = 0;
        for (int n = 0; n < count; n++) {
            value |= readSlow(linear + n, 1) << 8 * n;
        }
        return value;
    }

    private void writeSlow(long linear, int size, long value) {
        linear = wrap(linear);
        if ((linear & 0xfff) + size > 4096) {
            checkWritable(linear, size);
            for (int n = 0; n < size; n++) {
                writeSlow(wrap(linear + n), 1, value >>> 8 * n & 0xff);
            }
            return;
        }
        long gpa = translate(linear, PageWalker.WRITE);
        long host = memory.hostAddress(gpa);
        if (host != 0) {
            writeHost(host, size, value);
            noteWritten(gpa, size);
        } else {
            mmioWrites++;
            cpu.vcpu.enterDevice();
            io.writeMmio(gpa, size, value & Cpu.mask(size));
            cpu.vcpu.leaveDevice();
        }
        noteAccess(linear, size, true);
    }

    /**
     * To be called after a store: a processor that decodes meanwhile either sees the new bytes or
     * is told.
     */
    private void noteWritten(long gpa, int size) {
        if (sharedMemory()) {
            // Who marks the page after this question reads what was stored before it.
            VarHandle.fullFence();
        }
        if (memory.isTracked(gpa)) {
            memory.written(gpa, size);
            cpu.endBlock();
        }
    }

    GuestMemory memory() {
        return memory;
    }

    void awaitStores() {
        vm.awaitStores(cpu.vcpu);
    }

    /** Walks the page tables for a data access and faults if it is not allowed. */
    long walk(long linear, boolean write) {
        return walker.walk(linear, rights(write ? PageWalker.WRITE : 0), cpu);
    }

    /** Walks the page tables for an instruction fetch and faults if it is not allowed. */
    long walkFetch(long linear) {
        return walker.walk(linear, PageWalker.FETCH | (user ? PageWalker.USER : 0), cpu);
    }

    private int rights(int access) {
        return access
                | (user ? PageWalker.USER : 0)
                | (smapSuspended ? PageWalker.SMAP_SUSPENDED : 0);
    }

    /** Walks the page tables, faults if the access is not allowed, and enters RAM into the TLB. */
    private long translate(long linear, int access) {
        misses++;
        long gpa = walker.walk(linear, rights(access), cpu);
        if (watched.length == 0 || !watches(linear)) {
            enter(linear, gpa);
        }
        return gpa;
    }

    private void enter(long linear, long gpa) {
        long host = memory.hostAddress(gpa & PAGE);
        if (host == 0) {
            return;
        }
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        long page = linear & PAGE;
        writeTag[n] = EMPTY;
        readTag[n] = page;
        toHost[n] = host - page;
        global[n] = walker.global();
        dataEntered |= !global[n];
        pageShift[n] = (byte) walker.pageShift();
        largePages |= pageShift[n] > 12;
        if (walker.writable() && !memory.isTracked(gpa)) {
            writeTag[n] = page;
            if (sharedMemory()) {
                // Tracking may have begun since the question; who begins it revokes after setting
                // the flag.
                VarHandle.fullFence();
                if (memory.isTracked(gpa)) {
                    writeTag[n] = EMPTY;
                }
            }
        }
    }

    // Code

    /**
     * The decoded page that holds the instruction at a linear address.
     *
     * @throws GuestFault if it may not be fetched
     */
    CodePage fetch(long linear) {
        int n = (user ? FETCH_ENTRIES : 0) + ((int) (linear >>> 12) & FETCH_ENTRIES - 1);
        if (fetchTag[n] == (linear & PAGE)) {
            CodePage page = fetchPage[n];
            if (page.valid && page.size == cpu.vcpu.codeSize()) {
                return page;
            }
        }
        long gpa = walker.walk(linear, PageWalker.FETCH | (user ? PageWalker.USER : 0), cpu);
        CodePage page = vm.codeCache().page(gpa & PAGE, cpu.vcpu.codeSize());
        if (!page.settled) {
            vm.awaitStores(cpu.vcpu);
            page.settled = true;
        }
        fetchTag[n] = linear & PAGE;
        fetchPage[n] = page;
        fetchGlobal[n] = walker.global();
        fetchEntered |= !fetchGlobal[n];
        return page;
    }

    // Locked operations between processors

    /**
     * Atomically replaces an operand of 1, 2, 4 or 8 bytes if it still is {@code expected}.
     *
     * @param host its host address, or 0 if it takes the slow way
     */
    boolean compareAndSet(long linear, long host, int size, long expected, long value) {
        if (host != 0 && (host & 7) + size <= 8) {
            if (size == 8) {
                return RawMemory.compareAndExchangeLong(host, expected, value) == expected;
            }
            if (size == 4 && (host & 3) == 0) {
                return RawMemory.compareAndExchangeInt(host, (int) expected, (int) value)
                        == (int) expected;
            }
            return replaceWithinWord(host, size, expected, value);
        }
        if (host == 0 && (linear & 7) + size <= 8) {
            long gpa = translate(linear, PageWalker.WRITE);
            long slowHost = memory.hostAddress(gpa);
            if (slowHost != 0) {
                // A tracked or watched page: other processors may store to it without any lock of
                // ours.
                boolean done = compareAndSet(linear, slowHost, size, expected, value);
                noteWritten(gpa, size);
                noteAccess(linear, size, true);
                return done;
            }
        }
        // Across two words, devices: one at a time in the whole machine.
        synchronized (vm.splitLock()) {
            if (read(linear, size) != expected) {
                return false;
            }
            write(linear, size, value);
            return true;
        }
    }

    /**
     * Replaces 16 aligned and writable bytes if they still are what is expected; what was found
     * stands in {@link Cpu#lo} and {@link Cpu#hi}. Locked, it is atomic towards its like in the
     * whole machine; a store of 8 bytes in the middle of it makes it fail.
     */
    boolean compareAndSet16(
            long linear, boolean locked, long low, long high, long newLow, long newHigh) {
        if (!locked || !sharedMemory()) {
            return replace16(linear, low, high, newLow, newHigh);
        }
        if (Atomic128.available()) {
            long host = writableHost(linear, 16);
            if (host != 0) {
                boolean replaced = atomic128.compareAndExchange(host, low, high, newLow, newHigh);
                cpu.lo = atomic128.low();
                cpu.hi = atomic128.high();
                return replaced;
            }
        }
        synchronized (vm.splitLock()) {
            long host = writableHost(linear, 16);
            if (host == 0) {
                return replace16(linear, low, high, newLow, newHigh);
            }
            cpu.lo = RawMemory.getLongVolatile(host);
            cpu.hi = RawMemory.getLongVolatile(host + 8);
            if (cpu.lo != low || cpu.hi != high) {
                return false;
            }
            cpu.lo = RawMemory.compareAndExchangeLong(host, low, newLow);
            if (cpu.lo != low) {
                return false;
            }
            cpu.hi = RawMemory.compareAndExchangeLong(host + 8, high, newHigh);
            if (cpu.hi != high) {
                cpu.lo = RawMemory.compareAndExchangeLong(host, newLow, low);
                if (cpu.lo == newLow) {
                    cpu.lo = low;
                }
                return false;
            }
            return true;
        }
    }

    private boolean replace16(long linear, long low, long high, long newLow, long newHigh) {
        cpu.lo = read64(linear);
        cpu.hi = read64(linear + 8);
        boolean equal = cpu.lo == low && cpu.hi == high;
        write64(linear, equal ? newLow : cpu.lo);
        write64(linear + 8, equal ? newHigh : cpu.hi);
        return equal;
    }

    private static boolean replaceWithinWord(long host, int size, long expected, long value) {
        long word = host & -8;
        int shift = (int) (host & 7) * 8;
        long mask = Cpu.mask(size) << shift;
        while (true) {
            long old = RawMemory.getLongVolatile(word);
            if ((old & mask) >>> shift != expected) {
                return false;
            }
            long replaced = old & ~mask | value << shift & mask;
            if (RawMemory.compareAndExchangeLong(word, old, replaced) == old) {
                return true;
            }
        }
    }
}
