package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import java.util.Map;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;
import org.javisor.x86.CodeSize;

/**
 * A processor's accesses by linear address: the {@link DataTlb} and the {@link CodeTlb} in front of
 * the {@link PageWalker}.
 *
 * <p>Only RAM is entered into the TLB, for writing only pages that nobody tracks; everything else
 * goes by {@link SlowAccess} each time.
 *
 * <p>The tag is compared with the page of the access's last byte: an access that crosses into the
 * next page cannot match, because that page would be in another entry.
 */
final class Mmu {
    private static final int ENTRIES = DataTlb.ENTRIES;
    private static final long PAGE = -4096;

    private final InterpreterVm vm;
    private final GuestMemory memory;
    private final Cpu cpu;
    private final PageWalker walker;
    private final DataTlb data = new DataTlb();
    private final CodeTlb code = new CodeTlb();
    private final WatchedRanges watched = new WatchedRanges();
    private final SlowAccess slow;
    private final LockedAccess locked;

    // The arrays of the data TLB, one step nearer; while there is a replay, those of its own
    private long[] readTag = data.readTag;
    private long[] writeTag = data.writeTag;
    private long[] toHost = data.toHost;
    private ReplayPages replay;

    /** First entry of the current context. */
    private int context;

    private boolean user;
    private boolean smapSuspended;

    /** Misses of the data TLB, for statistics. */
    private long misses;

    /**
     * @param cpu the processor whose accesses these are
     */
    Mmu(Cpu cpu, InterpreterVm vm, VcpuIo io) {
        this.cpu = cpu;
        this.vm = vm;
        this.memory = vm.memory();
        this.walker = new PageWalker(memory, cpu.control);
        this.slow = new SlowAccess(this, cpu, memory, io);
        this.locked = new LockedAccess(this, cpu, slow, vm.splitLock());
    }

    GuestMemory memory() {
        return memory;
    }

    PageWalker walker() {
        return walker;
    }

    LockedAccess locked() {
        return locked;
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
        context =
                user
                        ? DataTlb.USER
                        : smapSuspended ? DataTlb.SUPERVISOR_SMAP_OFF : DataTlb.SUPERVISOR;
    }

    /**
     * Begins accesses the processor makes for itself (descriptor tables, TSS); to be paired with
     * {@link #leaveSystem}.
     */
    void enterSystem() {
        user = false;
        smapSuspended = false;
        context = DataTlb.SUPERVISOR;
    }

    void leaveSystem() {
        updateContext();
    }

    /**
     * @param ranges first and last byte of each; their pages are never entered into the TLB
     */
    void watchRanges(long[] ranges) {
        if (watched.replace(ranges)) {
            flushAll();
        }
    }

    /** Whether the page of an address has watched bytes. */
    boolean watches(long linear) {
        return watched.touchPageOf(linear);
    }

    // Flushing

    void flushAll() {
        data.flushAll();
        code.flushAll();
        cpu.vcpu.codeRunner().flushAll();
        cpu.vcpu.leaveCodePage();
    }

    void flushNonGlobal() {
        data.flushNonGlobal();
        code.flushNonGlobal();
        cpu.vcpu.codeRunner().flushNonGlobal();
        cpu.vcpu.leaveCodePage();
    }

    /** See {@link CodeRunner#changeAddressSpace}; the interpreter's own tables keep none apart. */
    void changeAddressSpace(int from, int to, boolean keep) {
        data.flushNonGlobal();
        code.flushNonGlobal();
        cpu.vcpu.codeRunner().changeAddressSpace(from, to, keep);
        cpu.vcpu.leaveCodePage();
    }

    void flushPage(long linear) {
        cpu.vcpu.codeRunner().flushPage(linear);
        data.flushPage(linear);
        code.flushPage(linear);
        cpu.vcpu.leaveCodePage();
    }

    /**
     * Forgets permissions to write a guest-physical page, or all (-1), without notice. Called by
     * other threads: a store that is under way meanwhile is waited for by who reads the page, and
     * an entry that is being made is checked again by who makes it.
     */
    void revokeWrites(long pageGpa) {
        if (pageGpa == -1) {
            data.revokeWrites();
        } else {
            data.revokeWrites(memory.hostAddress(pageGpa));
        }
    }

    // Replays

    /** From now on accesses go to copies of pages. Nothing may be flushed meanwhile. */
    void beginReplay(ReplayPages pages) {
        replay = pages;
        walker.beginReplay(pages);
        readTag = pages.readTag;
        writeTag = pages.writeTag;
        toHost = pages.toHost;
    }

    void endReplay() {
        replay = null;
        walker.endReplay();
        readTag = data.readTag;
        writeTag = data.writeTag;
        toHost = data.toHost;
    }

    /** Enters the page of an access that a replay makes into its TLB. */
    private void translateForReplay(long linear, int access) {
        int n = context + DataTlb.index(linear);
        boolean write = (access & PageWalker.WRITE) != 0;
        long page = linear & PAGE;
        long[] tags = write ? data.writeTag : data.readTag;
        long host = tags[n] == page ? page + data.toHost[n] : walkForReplay(n, linear, access);
        long copy = replay.copyOf(host);
        if (copy == 0 && write) {
            throw new ReplayFailure("writes to " + Long.toHexString(linear));
        }
        replay.enter(n, page, copy == 0 ? host : copy, copy != 0);
    }

    private long walkForReplay(int n, long linear, int access) {
        long gpa = walker.walk(linear, rights(access), cpu);
        long host = memory.hostAddress(gpa & PAGE);
        if (host == 0) {
            throw new ReplayFailure("accesses a device at " + Long.toHexString(gpa));
        }
        data.enter(n, linear & PAGE, host, walker);
        if (walker.writable() && !memory.isTracked(gpa)) {
            data.writeTag[n] = linear & PAGE;
        }
        return host;
    }

    /** The host address behind the access that was just translated; 0 if that is to a device. */
    long hostOf(long gpa, long linear) {
        return replay == null
                ? memory.hostAddress(gpa)
                : linear + toHost[context + DataTlb.index(linear)];
    }

    boolean replaying() {
        return replay != null;
    }

    // Reading

    int read8(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear & PAGE)) {
            return RawMemory.getByte(linear + toHost[n]) & 0xff;
        }
        return (int) slow.read(linear, 1);
    }

    int read16(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 1 & PAGE)) {
            return RawMemory.getShort(linear + toHost[n]) & 0xffff;
        }
        return (int) slow.read(linear, 2);
    }

    int read32(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 3 & PAGE)) {
            return RawMemory.getInt(linear + toHost[n]);
        }
        return (int) slow.read(linear, 4);
    }

    long read64(long linear) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (readTag[n] == (linear + 7 & PAGE)) {
            return RawMemory.getLong(linear + toHost[n]);
        }
        return slow.read(linear, 8);
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
            slow.write(linear, 1, value);
        }
    }

    void write16(long linear, int value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 1 & PAGE)) {
            RawMemory.putShort(linear + toHost[n], (short) value);
        } else {
            slow.write(linear, 2, value);
        }
    }

    void write32(long linear, int value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 3 & PAGE)) {
            RawMemory.putInt(linear + toHost[n], value);
        } else {
            slow.write(linear, 4, value);
        }
    }

    void write64(long linear, long value) {
        int n = context + ((int) (linear >>> 12) & ENTRIES - 1);
        if (writeTag[n] == (linear + 7 & PAGE)) {
            RawMemory.putLong(linear + toHost[n], value);
        } else {
            slow.write(linear, 8, value);
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

    /** Cut to the width of addresses. */
    long wrap(long linear) {
        return cpu.code64 || cpu.control.longMode() ? linear : linear & 0xffffffffL;
    }

    // Translation

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
    long translate(long linear, int access) {
        if (replay != null) {
            translateForReplay(linear, access);
            return -1;
        }
        misses++;
        long gpa = walker.walk(linear, rights(access), cpu);
        if (!watched.touchPageOf(linear)) {
            enter(linear, gpa);
        }
        return gpa;
    }

    private void enter(long linear, long gpa) {
        long host = memory.hostAddress(gpa & PAGE);
        if (host == 0) {
            return;
        }
        int n = context + DataTlb.index(linear);
        long page = linear & PAGE;
        data.enter(n, page, host, walker);
        if (walker.writable() && !memory.isTracked(gpa)) {
            writeTag[n] = page;
            if (sharedMemory()) {
                // Tracking may have begun since the question; who begins it revokes after setting
                // the flag.
                VarHandle.fullFence();
                if (memory.isTracked(gpa)) {
                    writeTag[n] = DataTlb.EMPTY;
                }
            }
        }
    }

    /**
     * The decoded page that holds the instruction at a linear address.
     *
     * @throws GuestFault if it may not be fetched
     */
    CodePage fetch(long linear, CodeSize size) {
        CodePage known = code.page(linear, user, size);
        if (known != null) {
            return known;
        }
        long gpa = walkFetch(linear);
        CodePage page = vm.codeCache().page(gpa & PAGE, size);
        if (!page.settled) {
            awaitStores();
            page.settled = true;
        }
        code.enter(linear, user, page, walker);
        return page;
    }

    void count(Map<String, Long> counters) {
        counters.merge("exits.mmio-read", slow.mmioReads, Long::sum);
        counters.merge("exits.mmio-write", slow.mmioWrites, Long::sum);
        counters.merge("tlb.misses", misses, Long::sum);
    }
}
