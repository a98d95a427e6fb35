package org.javisor.translator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.javisor.memory.HostMapping;
import org.javisor.memory.RawMemory;

/**
 * What translated code needs of one processor beside the registers it keeps in the host's: a block
 * of memory outside the heap that the host's GS base points at. Offsets are in bytes.
 */
final class ProcessorBlock {
    /** The 16 general registers, in the order of their encoding. */
    static final int REGISTERS = 0;

    /** Linear address of the page whose code runs. */
    static final int PAGE = 0x80;

    /** The arithmetic flags as SETO AL, LAHF leave them in AX. */
    static final int FLAGS = 0x88;

    /** Flags put aside, in the same form, before a probe that spoils them. */
    static final int SAVED_FLAGS = 0x90;

    /** EFLAGS.IF at its place, nothing else. */
    static final int INTERRUPT_FLAG = 0x98;

    /** The other system flags. */
    static final int SYSTEM_FLAGS = 0x9c;

    /** 0 while somebody wants the processor's attention, else 1. */
    static final int QUIET = 0xa0;

    /** 0 while an event is held off by IF, else 1. */
    static final int NOTHING_HELD = 0xa4;

    static final int TEMPORARY = 0xa8;

    /** Bases of FS and GS, by segment number from FS on. */
    static final int SEGMENT_BASE = 0xb0;

    static final int KERNEL_GS_BASE = 0xc0;

    // Why and where translated code was left
    static final int SITE = 0xc8;
    static final int REASON = 0xcc;
    static final int LINEAR = 0xd0;

    // Used by entry and exit
    static final int TARGET = 0xd8;
    static final int HOST_STACK = 0xe0;
    static final int MXCSR = 0xe8;
    static final int HOST_MXCSR = 0xec;

    // Masks for PEXT and PDEP

    /** The arithmetic flags at their places. */
    static final int FLAGS_MASK = 0x128;

    static final int INSTRUCTIONS = 0x130;
    static final int TEMPORARY_2 = 0x138;
    static final int BIT_NUMBER_MASK = 0x140;
    static final int CODE_INDEX_MASK = 0x148;

    /** 0 while the guest's x87 registers are in the host's, else 1. */
    static final int X87_MISSING = 0x150;

    /** Not 0 if entry is to load them from {@link #X87_AREA}. */
    static final int X87_WANTED = 0x154;

    /** Whether the privilege changed since entry: 0, or one of the two that follow. */
    static final int PRIVILEGE = 0x158;

    static final int ENTERED_KERNEL = 1;
    static final int RETURNED_TO_USER = 2;

    /** Where SYSCALL leads, or 0 if it does more than code here can do. */
    static final int SYSCALL_TARGET = 0x160;

    /** Whether SYSRET is on; whether SMAP is. */
    static final int SYSRET_ON = 0x168;

    static final int SMAP_ON = 0x16c;

    // More masks
    static final int NOT_USER_ADDRESS_MASK = 0x170;
    static final int OTHER_FLAGS_MASK = 0x178;
    static final int INTERRUPT_FLAG_MASK = 0x180;

    /** Where the host's stack ends for translated code, with the way out of its last return. */
    static final int STACK_BOTTOM = 0x188;

    /** The bit of {@link Stubs#CALL_DEPTH}, in 64 bits. */
    static final int CALL_DEPTH_MASK = 0x190;

    /** What the bottom of the stack holds on entry. */
    static final int LAST_RETURN = 0x198;

    // Used by the stubs that renew slots
    static final int RENEW_RAX = 0x1a0;

    /** Where the slot is; in the upper half how far the access reaches beyond its first byte. */
    static final int RENEW_ARGUMENT = 0x1a8;

    static final int RENEW_INDEX = 0x1b0;
    static final int RENEW_PAGE = 0x1b8;

    /** By the logarithm of an alignment, see {@link #outsideMask}. */
    private static final int OUTSIDE_MASKS = 0x1c0;

    private static final int ALIGNMENTS = 6;

    /** What of a slot's offset is the number of its group. */
    static final int SLOT_GROUP_MASK = 0x1f0;

    /** Accesses by stubs until the next is picked, see {@link BusyBlocks}. */
    static final int ACCESSES_LEFT = 0x1f8;

    /** For code that is compared with the interpreter: blocks that may still be begun. */
    static final int BLOCKS_LEFT = 0xf0;

    /** PAUSEs until the host's scheduler is asked whether somebody else should run. */
    static final int PAUSES_LEFT = 0xf4;

    /**
     * So many take about a microsecond, as long as asking does. Few locks are held for longer,
     * unless the thread of the processor that holds one has lost the host's processor, perhaps to
     * this one's.
     */
    static final int PAUSES_IN_A_ROW = 64;

    /** 16 registers of 32 bytes. */
    static final int VECTORS = 0x200;

    /** Distances of pages that are needed again, see {@link KnownPages}. */
    static final int KEPT_DISTANCES = 0x700;

    /** Operands of what made the flags, see {@link FlagRecipe}. */
    static final int KEPT_OPERAND = 0x740;

    static final int KEPT_OPERAND_2 = 0x748;

    /** An XSAVE area of which the x87 component is used. */
    static final int X87_AREA = 0x400;

    /** Of the image: the control words and the eight registers. */
    private static final int X87_BYTES = 160;

    private static final int XSTATE_BV = 512;

    /** Beyond registers and small fields: the tables of each {@link Context}. */
    private static final int TABLES = 0x1000;

    /**
     * The data TLB is four tables of as many words, so that an index need not be scaled. It is the
     * lower half of the page's number: 256 MiB in a row, as the heaps that a C library gives to
     * each thread begin at multiples of 64 MiB (docs/adr/0012), and as 16 bits are taken out of a
     * register by instructions that touch no flags and take a cycle each (docs/adr/0017).
     */
    static final int TLB_ENTRIES = 1 << 16;

    static final int TLB_ENTRY_SHIFT = 3;
    static final int TLB_READ = 0;
    static final int TLB_WRITE = TLB_ENTRIES << TLB_ENTRY_SHIFT;
    static final int TLB_HOST = 2 * TLB_WRITE;
    static final int TLB_DISTANCE = 3 * TLB_WRITE;

    /** The jump table is two, of an index of 16 bits as well. */
    static final int JUMP_ENTRIES = 1 << 16;

    /** Targets are often aligned, so the number of the page is added to the offset. */
    static final int JUMP_PAGE_SHIFT = 12;

    static final int JUMP_TAG = 0;
    static final int JUMP_HOST = 8 * JUMP_ENTRIES;

    /** One entry of the code TLB: 8 bytes. */
    static final int CODE_ENTRIES = 8192;

    private static final int CODE_BYTES = CODE_ENTRIES * 8;
    private static final int TLB_BYTES = 4 * TLB_WRITE;
    private static final int JUMP_BYTES = 2 * JUMP_HOST;

    // Slots of places in the code that access memory, those that read before those that write
    static final int READ_SLOTS = 4096;
    static final int WRITE_SLOTS = 2048;
    static final int SLOTS = READ_SLOTS + WRITE_SLOTS;

    /** The negated address of the page accessed last, one word for each slot. */
    static final int SLOT_PAGE = 0;

    /** How far from it that page lies on the host. */
    static final int SLOT_DISTANCE = 8 * SLOTS;

    /** How many more times it may be renewed before its place is judged. */
    static final int SLOT_PATIENCE = 2 * SLOT_DISTANCE;

    /** How often places on trial have used it. */
    static final int SLOT_PASSES = 3 * SLOT_DISTANCE;

    /** A byte for each {@link #SLOT_GROUP} bytes of slots: whether one of them was renewed. */
    static final int SLOT_RENEWED = 4 * SLOT_DISTANCE;

    private static final int SLOT_GROUP = 512;
    private static final int SLOT_BYTES = SLOT_RENEWED + 4096;
    static final int PATIENCE = 256;
    private static final int CONTEXT_BYTES = TLB_BYTES + JUMP_BYTES + CODE_BYTES + SLOT_BYTES;
    static final int SIZE = TABLES + Context.COUNT * CONTEXT_BYTES;

    /** See {@link #ACCESSES_LEFT}: a prime, so that no loop is always picked at the same place. */
    private static final int ACCESSES = 8_191;

    private static final int PAGE_BYTES = 4096;
    private static final long PAGE_MASK = -PAGE_BYTES;

    /** The base of no page that anybody can access, as not canonical. */
    private static final long NOWHERE = 1L << 62;

    /**
     * The tag of empty entries. No address is looked for there whose first or last byte would be on
     * that page, but in two entries, which have another.
     */
    private static final long EMPTY = -NOWHERE;

    private static final long EMPTY_INSTEAD = -(NOWHERE | 5L << 12);
    private static final int EMPTY_AT = 0, EMPTY_BEFORE = TLB_ENTRIES - 1;

    /**
     * Freed when nobody can reach it: other threads may post an event for the processor when its
     * machine has been closed.
     */
    private final MemorySegment segment;

    private final long address;
    private final boolean[] prepared = new boolean[Context.COUNT];

    /** Where empty slots lead whose address nobody is expected to guess. */
    private final MemorySegment nothing = Arena.ofAuto().allocate(2 * PAGE_BYTES, PAGE_BYTES);

    /** Empty slots: pages at addresses that are not canonical and known to nobody. */
    private final MemorySegment emptySlots = Arena.ofAuto().allocate(SLOT_DISTANCE, 8);

    ProcessorBlock() {
        HostMapping mapping = HostMapping.reserve(SIZE + PAGE_BYTES - 1 & -PAGE_BYTES);
        segment =
                MemorySegment.ofAddress(mapping.address())
                        .reinterpret(SIZE, Arena.ofAuto(), unused -> mapping.close());
        address = segment.address();
        for (int n = 0; n < ALIGNMENTS; n++) {
            put64(OUTSIDE_MASKS + 8 * n, PAGE_MASK | (1 << n) - 1);
        }
        put64(SLOT_GROUP_MASK, 0x10000 - SLOT_GROUP);
        put64(FLAGS_MASK, 0x8d5);
        put64(BIT_NUMBER_MASK, 31);
        put64(NOT_USER_ADDRESS_MASK, -1L << 47);
        put64(OTHER_FLAGS_MASK, 0x3c7fd7 & ~(0x8d5 | 0x202));
        put64(INTERRUPT_FLAG_MASK, 0x200);
        put64(CODE_INDEX_MASK, (long) (CODE_ENTRIES - 1) << 12);
        put32(QUIET, 1);
        put32(NOTHING_HELD, 1);
        put32(X87_MISSING, 1);
        put32(PAUSES_LEFT, PAUSES_IN_A_ROW);
        put32(ACCESSES_LEFT, ACCESSES);
        put64(CALL_DEPTH_MASK, Stubs.CALL_DEPTH);
        put32(MXCSR, 0x1f80);
        put32(HOST_MXCSR, 0x1f80);
        SplittableRandom random = new SplittableRandom();
        for (int at = 0; at < SLOT_DISTANCE; at += 8) {
            long secret = random.nextLong() >>> 2;
            emptySlots.set(ValueLayout.JAVA_LONG, at, -(NOWHERE | secret));
        }
    }

    /**
     * Makes the tables of a context empty if they have never been used. What has not been touched
     * costs no memory, and no time when a machine is started.
     *
     * @return whether that was necessary
     */
    boolean prepare(int context) {
        if (prepared[context]) {
            return false;
        }
        prepared[context] = true;
        fill(tlb(context), TLB_HOST, EMPTY);
        clearTlb(context, EMPTY_AT);
        clearTlb(context, EMPTY_BEFORE);
        fill(jumps(context), JUMP_HOST, EMPTY);
        clearJump(context, jumpIndex(NOWHERE));
        fill(codes(context), CODE_BYTES, EMPTY);
        int slots = slots(context);
        MemorySegment.copy(emptySlots, 0, segment, slots, SLOT_DISTANCE);
        fill(slots + SLOT_DISTANCE, SLOT_DISTANCE, nothing.address());
        fill(slots + SLOT_PATIENCE, SLOT_DISTANCE, PATIENCE);
        return true;
    }

    boolean isPrepared(int context) {
        return prepared[context];
    }

    /** A word again and again; in few steps, as this happens before HotSpot knows it. */
    private void fill(int from, int bytes, long word) {
        put64(from, word);
        for (int done = 8; done < bytes; done *= 2) {
            int more = Math.min(done, bytes - done);
            MemorySegment.copy(segment, from, segment, from + done, more);
        }
    }

    long address() {
        return address;
    }

    static int register(int number) {
        return REGISTERS + 8 * number;
    }

    static int vector(int number) {
        return VECTORS + 32 * number;
    }

    long get64(int offset) {
        return RawMemory.getLong(address + offset);
    }

    void put64(int offset, long value) {
        RawMemory.putLong(address + offset, value);
    }

    int get32(int offset) {
        return RawMemory.getInt(address + offset);
    }

    void put32(int offset, int value) {
        RawMemory.putInt(address + offset, value);
    }

    /** The x87 component, in the form of FXSAVE. */
    void getX87(byte[] image) {
        RawMemory.copyToArray(address + X87_AREA, image, 0, X87_BYTES);
    }

    void putX87(byte[] image) {
        RawMemory.copyFromArray(image, 0, address + X87_AREA, X87_BYTES);
        put64(X87_AREA + XSTATE_BV, 1);
    }

    /** Whether the area says that the unit is in its initial state, whatever the image. */
    boolean x87Initial() {
        return (get64(X87_AREA + XSTATE_BV) & 1) == 0;
    }

    // Data TLB

    static int tlb(int context) {
        return TABLES + context * CONTEXT_BYTES;
    }

    static int tlbIndex(long linear) {
        return (int) (linear >>> 12) & TLB_ENTRIES - 1;
    }

    private static int tlbEntry(int context, int index) {
        return tlb(context) + (index << TLB_ENTRY_SHIFT);
    }

    /** An empty tag is a page of another entry, so that no address that comes here can match. */
    private static long emptyTag(int index) {
        return index == EMPTY_AT || index == EMPTY_BEFORE ? EMPTY_INSTEAD : EMPTY;
    }

    void clearTlb(int context, int index) {
        int entry = tlbEntry(context, index);
        put64(entry + TLB_READ, emptyTag(index));
        put64(entry + TLB_WRITE, emptyTag(index));
    }

    void clearTlbWrite(int context, int index) {
        put64(tlbEntry(context, index) + TLB_WRITE, emptyTag(index));
    }

    void enterTlb(int context, long linear, long hostPage, boolean writable) {
        int index = tlbIndex(linear);
        int entry = tlbEntry(context, index);
        long page = linear & PAGE_MASK;
        put64(entry + TLB_WRITE, emptyTag(index));
        put64(entry + TLB_READ, -page);
        put64(entry + TLB_HOST, hostPage);
        put64(entry + TLB_DISTANCE, hostPage - page);
        if (writable) {
            put64(entry + TLB_WRITE, -page);
        }
    }

    /** Linear address of the page that an entry translates for reading, or -1. */
    long tlbPage(int context, int index) {
        long tag = get64(tlbEntry(context, index) + TLB_READ);
        return tag == emptyTag(index) ? -1 : -tag;
    }

    boolean tlbWritable(int context, int index) {
        return get64(tlbEntry(context, index) + TLB_WRITE) != emptyTag(index);
    }

    long tlbHost(int context, int index) {
        return get64(tlbEntry(context, index) + TLB_HOST);
    }

    /** Whether the access for which code was left is one of those that are picked. */
    boolean takePicked() {
        if (get32(ACCESSES_LEFT) != 0) {
            return false;
        }
        put32(ACCESSES_LEFT, ACCESSES);
        return true;
    }

    // Slots

    static int slots(int context) {
        return codes(context) + CODE_BYTES;
    }

    /**
     * Voids the slots of a context. They keep their host pages: an access to a page nobody can
     * guess would reach some memory of the guest's own or none.
     */
    void clearSlots(int context) {
        int slots = slots(context);
        for (int group = 0; group < SLOT_DISTANCE / SLOT_GROUP; group++) {
            if (segment.get(ValueLayout.JAVA_BYTE, slots + SLOT_RENEWED + group) != 0) {
                segment.set(ValueLayout.JAVA_BYTE, slots + SLOT_RENEWED + group, (byte) 0);
                int at = group * SLOT_GROUP;
                MemorySegment.copy(emptySlots, at, segment, slots + at, SLOT_GROUP);
            }
        }
    }

    /**
     * Whether a slot has been renewed so often that it is time to ask; it is asked once.
     *
     * @param slot by its offset
     */
    boolean patienceOver(int context, int slot) {
        int at = slots(context) + SLOT_PATIENCE + slot;
        if (get64(at) > 0) {
            return false;
        }
        put64(at, PATIENCE);
        return true;
    }

    /** Has {@link #patienceOver} said after so many renewals of the slot. */
    void setPatience(int context, int slot, long renewals) {
        put64(slots(context) + SLOT_PATIENCE + slot, renewals);
    }

    /** How often the slot was used by places on trial since this was asked last. */
    long takePasses(int context, int slot) {
        int at = slots(context) + SLOT_PASSES + slot;
        long passes = get64(at);
        put64(at, 0);
        return passes;
    }

    /**
     * The mask of the bits that must be clear in an offset that is in the page and aligned.
     *
     * @param alignment a power of two up to 32
     */
    static int outsideMask(int alignment) {
        return OUTSIDE_MASKS + 8 * Integer.numberOfTrailingZeros(alignment);
    }

    /** What to add to such an offset, for the bits that the mask selects to make a 1. */
    static int oneInside(int alignment) {
        return alignment == 1 ? PAGE_BYTES : 1;
    }

    // Jump table

    static int jumps(int context) {
        return tlb(context) + TLB_BYTES;
    }

    static int jumpIndex(long linear) {
        return (int) ((linear >>> JUMP_PAGE_SHIFT) + linear) & JUMP_ENTRIES - 1;
    }

    void enterJump(int context, long linear, long host) {
        int entry = jumps(context) + 8 * jumpIndex(linear);
        put64(entry + JUMP_HOST, host);
        put64(entry + JUMP_TAG, -linear);
    }

    void clearJump(int context, int index) {
        long tag = index == jumpIndex(NOWHERE) ? EMPTY_INSTEAD : EMPTY;
        put64(jumps(context) + 8 * index + JUMP_TAG, tag);
    }

    long jumpHost(int context, int index) {
        return get64(jumps(context) + 8 * index + JUMP_HOST);
    }

    /** Linear address that an entry of the jump table is for, if it is not empty. */
    long jumpLinear(int context, int index) {
        return -get64(jumps(context) + 8 * index + JUMP_TAG);
    }

    // Code TLB: which page of code a linear page is

    static int codes(int context) {
        return jumps(context) + JUMP_BYTES;
    }

    static int codeIndex(long linear) {
        return (int) (linear >>> 12) & CODE_ENTRIES - 1;
    }

    /** The sum of an entry and a linear address on its page is the offset less the number. */
    void enterCode(int context, long linear, int pageNumber) {
        put64(codes(context) + 8 * codeIndex(linear), -(linear & PAGE_MASK) - pageNumber);
    }

    void clearCode(int context, int index) {
        put64(codes(context) + 8 * index, EMPTY);
    }
}
