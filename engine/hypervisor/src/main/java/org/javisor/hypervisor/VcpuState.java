package org.javisor.hypervisor;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A processor's architectural state, shared by all engines: what boot loaders fill in, debuggers
 * edit and snapshots hold. A mutable carrier of values, not a live view.
 */
public final class VcpuState {
    /** Indices into {@link #gpr}, in the order of the instruction encoding. */
    public static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;

    /**
     * Indices into {@link #segments}, in the order of the instruction encoding, then LDTR and TR.
     */
    public static final int ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5, LDTR = 6, TR = 7;

    /**
     * A segment register with its hidden part.
     *
     * @param limit in bytes, granularity already applied, unsigned
     * @param attributes bits 8-15 and 20-23 of the descriptor's second word, shifted down by 8 (the
     *     form of VMX's and KVM's access rights): type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B
     *     14, G 15
     */
    public record Segment(int selector, long base, int limit, int attributes) {}

    /** GDTR or IDTR; the limit is 16 bits. */
    public record TableRegister(long base, int limit) {}

    /**
     * Whether the processor executes, sleeps in HLT, waits for INIT's start-up IPI, or has shut
     * down.
     */
    public enum Activity {
        RUNNING,
        HALTED,
        WAITING_FOR_STARTUP,
        SHUTDOWN
    }

    public final long[] gpr = new long[16];
    public long rip;
    public long rflags = 2;
    public final Segment[] segments = new Segment[8];
    public TableRegister gdtr = new TableRegister(0, 0xffff);
    public TableRegister idtr = new TableRegister(0, 0xffff);
    public long cr0, cr2, cr3, cr4, cr8;
    public long xcr0 = 1;
    public long efer;

    /** DR0 to DR3, then DR6 at 6 and DR7 at 7. */
    public final long[] dr = {0, 0, 0, 0, 0, 0, 0xffff0ff0L, 0x400};

    /**
     * The FXSAVE area, then XSAVE's header and components in standard format (Intel SDM vol. 1,
     * 13.4). The header's XSTATE_BV names the components that count; the others are in their
     * initial configuration. At least 512 bytes, which are then the FXSAVE area alone; an engine
     * takes every length and ignores what it does not know.
     */
    public byte[] xsave = initialXsave();

    /** Model-specific registers by index, those with a field of their own excepted. */
    public final SortedMap<Integer, Long> msrs = new TreeMap<>();

    public Activity activity = Activity.RUNNING;

    /** Interrupts are held off for one instruction after STI or a load of SS. */
    public boolean interruptShadow;

    /** An NMI is being handled; another waits for IRET. */
    public boolean nmiBlocked;

    /** An NMI has arrived and is not yet delivered. */
    public boolean nmiPending;

    /** TSC minus the machine clock's own count, in ticks. */
    public long tscOffset;

    public VcpuState() {
        java.util.Arrays.fill(segments, new Segment(0, 0, 0xffff, 0x93));
        segments[CS] = new Segment(0xf000, 0xffff0000L, 0xffff, 0x9b);
        segments[LDTR] = new Segment(0, 0, 0xffff, 0x82);
        segments[TR] = new Segment(0, 0, 0xffff, 0x8b);
        rip = 0xfff0;
        cr0 = 0x60000010;
        gpr[RDX] = 0x600;
    }

    private static byte[] initialXsave() {
        byte[] area = new byte[832];
        area[0] = 0x7f; // FCW = 037Fh
        area[1] = 0x03;
        area[24] = (byte) 0x80; // MXCSR = 1F80h
        area[25] = 0x1f;
        return area;
    }
}
