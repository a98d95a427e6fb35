package org.javisor.interpreter;

import static org.javisor.interpreter.ControlRegisters.CR4_PAE;
import static org.javisor.interpreter.ControlRegisters.CR4_PGE;
import static org.javisor.interpreter.ControlRegisters.CR4_PSE;
import static org.javisor.interpreter.ControlRegisters.CR4_SMAP;
import static org.javisor.interpreter.ControlRegisters.CR4_SMEP;

import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;

/**
 * Translates linear to guest-physical addresses by the guest's page tables: none, 2-level with 4M
 * pages, PAE, 4-level with 2M and 1G pages (Intel SDM vol. 3A, chapter 4). Sets accessed and dirty
 * bits with atomic operations.
 */
final class PageWalker {
    /** Kinds of access; the values of the first three are those of the page-fault error code. */
    static final int WRITE = 2, USER = 4, FETCH = 16;

    /** Supervisor data accesses may touch user pages. */
    static final int SMAP_SUSPENDED = 1 << 8;

    static final int PHYSICAL_ADDRESS_BITS = 40;

    private static final long PRESENT = 1,
            WRITABLE = 2,
            USER_PAGE = 4,
            ACCESSED = 0x20,
            DIRTY = 0x40,
            LARGE = 0x80;
    private static final long GLOBAL = 0x100, NX = 1L << 63;
    private static final long ADDRESS = (1L << PHYSICAL_ADDRESS_BITS) - 1 & -4096;

    /** Bits between the widest physical address and the software-available ones. */
    private static final long RESERVED = (1L << 52) - (1L << PHYSICAL_ADDRESS_BITS);

    private static final int ERROR_PRESENT = 1, ERROR_RESERVED = 8;

    private final GuestMemory memory;
    private final ControlRegisters control;

    /** The PAE page-directory pointers, loaded when CR3 is. */
    private final long[] pdpte = new long[4];

    /** While there is a replay: the pages it sees copies of, else null. */
    private ReplayPages replay;

    /** Entries that were marked as accessed or dirty, but for those that are code as well. */
    private long marks;

    // Results of the last walk
    private boolean writable;
    private boolean global;
    private int pageShift;

    PageWalker(GuestMemory memory, ControlRegisters control) {
        this.memory = memory;
        this.control = control;
    }

    long marks() {
        return marks;
    }

    void beginReplay(ReplayPages pages) {
        replay = pages;
    }

    void endReplay() {
        replay = null;
    }

    /**
     * After a walk: whether the same access as a write would have been allowed with the dirty bit
     * already set.
     */
    boolean writable() {
        return writable;
    }

    boolean global() {
        return global;
    }

    int pageShift() {
        return pageShift;
    }

    /**
     * The guest-physical address.
     *
     * @param access {@link #WRITE}, {@link #USER}, {@link #FETCH}, {@link #SMAP_SUSPENDED} or'ed
     * @throws GuestFault #PF, with CR2 set; #GP for an address that is not canonical
     */
    long walk(long linear, int access, Cpu cpu) {
        if (!control.paging()) {
            writable = true;
            global = false;
            pageShift = 12;
            return linear & 0xffffffffL;
        }
        if (control.longMode()) {
            if (linear << 16 >> 16 != linear) {
                throw GuestFault.NON_CANONICAL;
            }
            return walk64(linear, control.cr3 & ADDRESS, 39, access, USER_PAGE | WRITABLE, cpu);
        }
        if (control.has4(CR4_PAE)) {
            long pointer = pdpte[(int) (linear >>> 30) & 3];
            if ((pointer & PRESENT) == 0) {
                throw fault(linear, access, 0, cpu);
            }
            return walk64(linear, pointer & ADDRESS, 21, access, USER_PAGE | WRITABLE, cpu);
        }
        return walk32(linear, access, cpu);
    }

    private long walk64(long linear, long table, int shift, int access, long rights, Cpu cpu) {
        boolean noExecute = false;
        long reservedAlways = RESERVED | (control.noExecute() ? 0 : NX);
        if (!control.longMode()) {
            reservedAlways |= NX - (1L << 52) & ~NX;
        }
        while (true) {
            long at = table + (linear >>> shift & 0x1ff) * 8;
            long host = entryAddress(at);
            long entry = host == 0 ? -1 : RawMemory.getLongVolatile(host);
            if ((entry & PRESENT) == 0) {
                throw fault(linear, access, 0, cpu);
            }
            boolean leaf = shift == 12 || (entry & LARGE) != 0;
            long reserved = reservedAlways;
            if (shift == 39) {
                reserved |= LARGE;
            } else if (leaf && shift > 12) {
                reserved |= (1L << shift) - 0x2000;
            }
            if (host == 0 || (entry & reserved) != 0) {
                throw fault(linear, access, ERROR_PRESENT | ERROR_RESERVED, cpu);
            }
            rights &= entry;
            noExecute |= (entry & NX) != 0;
            if (leaf) {
                checkRights(linear, access, rights, noExecute, cpu);
                long set = ACCESSED | ((access & WRITE) != 0 ? DIRTY : 0);
                if ((entry & set) != set && !update64(at, host, entry, set)) {
                    continue;
                }
                noteLeaf(entry | set, rights, access, shift);
                long offset = linear & (1L << shift) - 1;
                return entry & ADDRESS & -(1L << shift) | offset;
            }
            if ((entry & ACCESSED) == 0 && !update64(at, host, entry, ACCESSED)) {
                return walk(linear, access, cpu);
            }
            table = entry & ADDRESS;
            shift -= 9;
        }
    }

    /** Where an entry is read and marked; 0 if it is not RAM. */
    private long entryAddress(long gpa) {
        long host = memory.hostAddress(gpa);
        if (replay == null) {
            return host;
        }
        long copy = replay.copyOf(host & -GuestMemory.PAGE_SIZE);
        return copy == 0 ? host : copy + (gpa & GuestMemory.PAGE_SIZE - 1);
    }

    private long walk32(long linear, int access, Cpu cpu) {
        long at = (control.cr3 & 0xfffff000L) + (linear >>> 22 & 0x3ff) * 4;
        long host = memory.hostAddress(at);
        int directory = host == 0 ? -1 : RawMemory.getIntVolatile(host);
        if ((directory & PRESENT) == 0) {
            throw fault(linear, access, 0, cpu);
        }
        if ((directory & LARGE) != 0 && control.has4(CR4_PSE)) {
            if (host == 0 || (directory & 1 << 21) != 0) {
                throw fault(linear, access, ERROR_PRESENT | ERROR_RESERVED, cpu);
            }
            checkRights(linear, access, directory, false, cpu);
            update32(at, host, (int) (ACCESSED | ((access & WRITE) != 0 ? DIRTY : 0)));
            noteLeaf(RawMemory.getInt(host), directory, access, 22);
            // PSE-36: bits 13-20 of the entry are bits 32-39 of the address.
            return (directory & 0xffc00000L)
                    | (long) (directory >>> 13 & 0xff) << 32
                    | linear & 0x3fffff;
        }
        if (host != 0) {
            update32(at, host, (int) ACCESSED);
        }
        long tableAt = (directory & 0xfffff000L) + (linear >>> 12 & 0x3ff) * 4;
        long tableHost = memory.hostAddress(tableAt);
        int entry = tableHost == 0 ? 0 : RawMemory.getIntVolatile(tableHost);
        if ((entry & PRESENT) == 0) {
            throw fault(linear, access, 0, cpu);
        }
        long rights = directory & entry;
        checkRights(linear, access, rights, false, cpu);
        update32(tableAt, tableHost, (int) (ACCESSED | ((access & WRITE) != 0 ? DIRTY : 0)));
        noteLeaf(RawMemory.getInt(tableHost), rights, access, 12);
        return entry & 0xfffff000L | linear & 0xfff;
    }

    private void noteLeaf(long entry, long rights, int access, int shift) {
        boolean allowed =
                (rights & WRITABLE) != 0 || (access & USER) == 0 && !control.writeProtect();
        writable = allowed && (entry & DIRTY) != 0;
        global = (entry & GLOBAL) != 0 && control.has4(CR4_PGE);
        pageShift = shift;
    }

    private void checkRights(long linear, int access, long rights, boolean noExecute, Cpu cpu) {
        boolean userPage = (rights & USER_PAGE) != 0;
        boolean denied;
        if ((access & USER) != 0) {
            denied = !userPage || (access & WRITE) != 0 && (rights & WRITABLE) == 0;
        } else if ((access & FETCH) != 0) {
            denied = userPage && control.has4(CR4_SMEP);
        } else {
            denied =
                    (access & WRITE) != 0 && (rights & WRITABLE) == 0 && control.writeProtect()
                            || userPage && control.has4(CR4_SMAP) && (access & SMAP_SUSPENDED) == 0;
        }
        if (denied || (access & FETCH) != 0 && noExecute) {
            throw fault(linear, access, ERROR_PRESENT, cpu);
        }
    }

    private GuestFault fault(long linear, int access, int error, Cpu cpu) {
        boolean tellFetch = control.has4(CR4_SMEP) || control.noExecute() && control.has4(CR4_PAE);
        int shown = access & (WRITE | USER) | (tellFetch ? access & FETCH : 0);
        control.cr2 = linear;
        return GuestFault.of(GuestFault.PF, error | shown);
    }

    /** False if the entry changed meanwhile: walk again. */
    private boolean update64(long gpa, long host, long entry, long bits) {
        if (RawMemory.compareAndExchangeLong(host, entry, entry | bits) != entry) {
            return false;
        }
        noteMark(gpa);
        memory.written(gpa, 8);
        return true;
    }

    private void noteMark(long gpa) {
        if (!memory.isTracked(gpa)) {
            marks++;
        }
    }

    private void update32(long gpa, long host, int bits) {
        while (true) {
            int entry = RawMemory.getIntVolatile(host);
            if ((entry & bits) == bits) {
                return;
            }
            if (RawMemory.compareAndExchangeInt(host, entry, entry | bits) == entry) {
                noteMark(gpa);
                memory.written(gpa, 4);
                return;
            }
        }
    }

    /**
     * Loads the four page-directory pointers, as a write to CR3 does in PAE paging.
     *
     * @return false if one has reserved bits set: #GP
     */
    boolean loadPdptes(long cr3) {
        long[] loaded = new long[4];
        for (int n = 0; n < 4; n++) {
            loaded[n] = memory.read64((cr3 & 0xffffffe0L) + 8 * n);
            if ((loaded[n] & PRESENT) != 0
                    && (loaded[n] & (0x1e6L | -1L << PHYSICAL_ADDRESS_BITS)) != 0) {
                return false;
            }
        }
        System.arraycopy(loaded, 0, pdpte, 0, 4);
        return true;
    }

    /** For debuggers: no permission checks, nothing set; -1 if not mapped. */
    long probe(long linear) {
        if (!control.paging()) {
            return linear & 0xffffffffL;
        }
        if (!control.longMode() && !control.has4(CR4_PAE)) {
            return probe32(linear);
        }
        long table;
        int shift;
        if (control.longMode()) {
            if (linear << 16 >> 16 != linear) {
                return -1;
            }
            table = control.cr3 & ADDRESS;
            shift = 39;
        } else {
            long pointer = pdpte[(int) (linear >>> 30) & 3];
            if ((pointer & PRESENT) == 0) {
                return -1;
            }
            table = pointer & ADDRESS;
            shift = 21;
        }
        for (; ; shift -= 9) {
            long host = memory.hostAddress(table + (linear >>> shift & 0x1ff) * 8);
            long entry = host == 0 ? 0 : RawMemory.getLong(host);
            if ((entry & PRESENT) == 0) {
                return -1;
            }
            if (shift == 12 || (entry & LARGE) != 0 && shift < 39) {
                long offset = linear & (1L << shift) - 1;
                return entry & ADDRESS & -(1L << shift) | offset;
            }
            if (shift == 12) {
                return -1;
            }
            table = entry & ADDRESS;
        }
    }

    private long probe32(long linear) {
        int directory = memory.read32((control.cr3 & 0xfffff000L) + (linear >>> 22 & 0x3ff) * 4);
        if ((directory & PRESENT) == 0) {
            return -1;
        }
        if ((directory & LARGE) != 0 && control.has4(CR4_PSE)) {
            return (directory & 0xffc00000L)
                    | (long) (directory >>> 13 & 0xff) << 32
                    | linear & 0x3fffff;
        }
        int entry = memory.read32((directory & 0xfffff000L) + (linear >>> 12 & 0x3ff) * 4);
        return (entry & PRESENT) == 0 ? -1 : entry & 0xfffff000L | linear & 0xfff;
    }
}
