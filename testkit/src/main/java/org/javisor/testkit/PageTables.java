package org.javisor.testkit;

import org.javisor.memory.GuestMemory;

/** Four-level page tables of a guest, built in its memory (Intel SDM vol. 3A, 4.5). */
public final class PageTables {
    public static final long PRESENT = 1, WRITABLE = 2, USER = 4, WRITE_THROUGH = 8;
    public static final long CACHE_DISABLE = 16, ACCESSED = 32, DIRTY = 64, LARGE = 128;
    public static final long GLOBAL = 256, NO_EXECUTE = 1L << 63;

    private static final long ADDRESS = 0x000ffffffffff000L;

    private final GuestMemory memory;
    private final long root;
    private long next;

    /** Takes pages from {@code firstPage} on, the first as the root, for CR3. */
    public PageTables(GuestMemory memory, long firstPage) {
        this.memory = memory;
        this.root = firstPage;
        this.next = firstPage + GuestMemory.PAGE_SIZE;
    }

    public long root() {
        return root;
    }

    /** Maps one 4 KiB page. */
    public void map(long linear, long gpa, long flags) {
        memory.write64(entry(linear, 1), gpa | flags);
    }

    /** Maps a range of 4 KiB pages to itself. */
    public void mapIdentity(long from, long size, long flags) {
        for (long at = from; at < from + size; at += GuestMemory.PAGE_SIZE) {
            map(at, at, flags);
        }
    }

    /** Maps a page of 2 MiB (level 2) or 1 GiB (level 3). */
    public void mapLarge(long linear, long gpa, int level, long flags) {
        memory.write64(entry(linear, level), gpa | flags | LARGE);
    }

    /**
     * The guest-physical address of the entry that translates a linear address at a level: 1 for a
     * page table's, 4 for the root's. Tables above it are made where there are none, with all
     * permissions.
     */
    public long entry(long linear, int level) {
        long table = root;
        for (int l = 4; l > level; l--) {
            long at = slot(table, linear, l);
            long value = memory.read64(at);
            if ((value & PRESENT) == 0) {
                value = next | PRESENT | WRITABLE | USER;
                memory.write64(at, value);
                next += GuestMemory.PAGE_SIZE;
            }
            table = value & ADDRESS;
        }
        return slot(table, linear, level);
    }

    private static long slot(long table, long linear, int level) {
        return table + 8 * (linear >>> 12 + 9 * (level - 1) & 511);
    }
}
