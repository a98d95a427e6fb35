package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.VcpuState.TableRegister;

/**
 * Between a processor inside the kernel and the {@link VcpuState} that boot loaders, debuggers and
 * snapshots use: everything but activity and time.
 */
final class VcpuRegisters {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** In the order of {@link VcpuState#gpr}. */
    private static final int[] GPR =
            offsets(
                    Layouts.REGS,
                    "rax",
                    "rcx",
                    "rdx",
                    "rbx",
                    "rsp",
                    "rbp",
                    "rsi",
                    "rdi",
                    "r8",
                    "r9",
                    "r10",
                    "r11",
                    "r12",
                    "r13",
                    "r14",
                    "r15");

    private static final int RIP = Layouts.offset(Layouts.REGS, "rip");
    private static final int RFLAGS = Layouts.offset(Layouts.REGS, "rflags");

    /** In the order of {@link VcpuState#segments}. */
    private static final int[] SEGMENTS =
            offsets(Layouts.SREGS, "es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr");

    private static final int[] SEGMENT =
            offsets(
                    Layouts.SEGMENT,
                    "base",
                    "limit",
                    "selector",
                    "type",
                    "present",
                    "dpl",
                    "db",
                    "s",
                    "l",
                    "g",
                    "avl",
                    "unusable");

    private static final int XCR_VALUE =
            Layouts.offset(Layouts.XCRS, "xcrs") + Layouts.offset(Layouts.XCR, "value");

    /** Flags of KVM_SET_VCPU_EVENTS: which fields count. */
    private static final int NMI_VALID = 1, SHADOW_VALID = 4;

    private static final int SHADOW_STI = 2;
    private static final int XSAVE_SIZE = 4096, LEGACY_XSAVE_SIZE = 576;

    /** After the legacy area: which components hold something, and which format it is. */
    private static final int XSTATE_BV = 512, XCOMP_BV = 520;

    private final KvmHandle vcpu;
    private final ModelRegisters msrs;
    private final int xsaveSize;
    private final MemorySegment regs;
    private final MemorySegment sregs;
    private final MemorySegment events;
    private final MemorySegment debug;
    private final MemorySegment xsave;
    private final MemorySegment xcrs;

    /**
     * @param xsaveSize bytes of the area that this processor's components fill
     */
    VcpuRegisters(KvmHandle vcpu, ModelRegisters msrs, int xsaveSize, Arena arena) {
        this.vcpu = vcpu;
        this.msrs = msrs;
        this.xsaveSize = Math.clamp(xsaveSize, LEGACY_XSAVE_SIZE, XSAVE_SIZE);
        regs = arena.allocate(Layouts.REGS);
        sregs = arena.allocate(Layouts.SREGS);
        events = arena.allocate(Layouts.VCPU_EVENTS);
        debug = arena.allocate(Layouts.DEBUGREGS);
        xsave = arena.allocate(XSAVE_SIZE, 64);
        xcrs = arena.allocate(Layouts.XCRS);
    }

    private static int[] offsets(StructLayout layout, String... members) {
        int[] result = new int[members.length];
        for (int n = 0; n < members.length; n++) {
            result[n] = Layouts.offset(layout, members[n]);
        }
        return result;
    }

    void save(VcpuState s) {
        vcpu.call(Ioctl.GET_REGS, regs);
        for (int n = 0; n < GPR.length; n++) {
            s.gpr[n] = regs.get(LONG, GPR[n]);
        }
        s.rip = regs.get(LONG, RIP);
        s.rflags = regs.get(LONG, RFLAGS);
        saveSystem(s);
        saveEvents(s);
        vcpu.call(Ioctl.GET_DEBUGREGS, debug);
        for (int n = 0; n < 4; n++) {
            s.dr[n] = debug.get(LONG, 8L * n);
        }
        s.dr[6] = Fields.getLong(debug, Layouts.DEBUGREGS, "dr6");
        s.dr[7] = Fields.getLong(debug, Layouts.DEBUGREGS, "dr7");
        vcpu.call(Ioctl.GET_XSAVE, xsave);
        s.xsave = new byte[xsaveSize];
        MemorySegment.copy(xsave, ValueLayout.JAVA_BYTE, 0, s.xsave, 0, xsaveSize);
        if (vcpu.tryCall(Ioctl.GET_XCRS, xcrs) == 0) {
            s.xcr0 = xcrs.get(LONG, XCR_VALUE);
        }
        saveMsrs(s);
    }

    void saveMsrs(VcpuState s) {
        msrs.save(vcpu, s.msrs);
    }

    private void saveSystem(VcpuState s) {
        vcpu.call(Ioctl.GET_SREGS, sregs);
        for (int n = 0; n < SEGMENTS.length; n++) {
            s.segments[n] = segment(SEGMENTS[n]);
        }
        s.gdtr = table("gdt");
        s.idtr = table("idt");
        s.cr0 = Fields.getLong(sregs, Layouts.SREGS, "cr0");
        s.cr2 = Fields.getLong(sregs, Layouts.SREGS, "cr2");
        s.cr3 = Fields.getLong(sregs, Layouts.SREGS, "cr3");
        s.cr4 = Fields.getLong(sregs, Layouts.SREGS, "cr4");
        s.cr8 = Fields.getLong(sregs, Layouts.SREGS, "cr8");
        s.efer = Fields.getLong(sregs, Layouts.SREGS, "efer");
    }

    private Segment segment(int at) {
        int unusable = byteAt(at + SEGMENT[11]);
        int present = unusable != 0 ? 0 : byteAt(at + SEGMENT[4]);
        int attributes =
                byteAt(at + SEGMENT[3])
                        | byteAt(at + SEGMENT[7]) << 4
                        | byteAt(at + SEGMENT[5]) << 5
                        | present << 7
                        | byteAt(at + SEGMENT[10]) << 12
                        | byteAt(at + SEGMENT[8]) << 13
                        | byteAt(at + SEGMENT[6]) << 14
                        | byteAt(at + SEGMENT[9]) << 15;
        return new Segment(
                sregs.get(ValueLayout.JAVA_SHORT, at + SEGMENT[2]) & 0xffff,
                sregs.get(LONG, at + SEGMENT[0]),
                sregs.get(ValueLayout.JAVA_INT, at + SEGMENT[1]),
                attributes);
    }

    private int byteAt(int offset) {
        return sregs.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }

    private TableRegister table(String name) {
        int at = Layouts.offset(Layouts.SREGS, name);
        int limit = at + Layouts.offset(Layouts.DTABLE, "limit");
        return new TableRegister(
                sregs.get(LONG, at), sregs.get(ValueLayout.JAVA_SHORT, limit) & 0xffff);
    }

    private void saveEvents(VcpuState s) {
        s.nmiPending = nmiPending();
        s.interruptShadow = event("interrupt.shadow") != 0;
        s.nmiBlocked = event("nmi.masked") != 0;
    }

    boolean nmiPending() {
        vcpu.call(Ioctl.GET_VCPU_EVENTS, events);
        return event("nmi.pending") != 0 || event("nmi.injected") != 0;
    }

    /** The vector of an interrupt that is accepted and not yet delivered, or -1. */
    int injectedInterrupt() {
        vcpu.call(Ioctl.GET_VCPU_EVENTS, events);
        boolean external = event("interrupt.injected") != 0 && event("interrupt.soft") == 0;
        return external ? event("interrupt.nr") : -1;
    }

    void dropInjectedInterrupt() {
        if (injectedInterrupt() >= 0) {
            putEvent("interrupt.injected", 0);
            Fields.putInt(events, Layouts.VCPU_EVENTS, "flags", 0);
            vcpu.call(Ioctl.SET_VCPU_EVENTS, events);
        }
    }

    private int event(String member) {
        return Fields.getByte(events, Layouts.VCPU_EVENTS, member);
    }

    /**
     * @throws IllegalArgumentException if the host's processor or kernel cannot hold it
     */
    void restore(VcpuState s) {
        vcpu.call(Ioctl.GET_REGS, regs);
        boolean elsewhere = regs.get(LONG, RIP) != s.rip;
        restoreSystem(s);
        restoreGeneral(s);
        restoreXcr0(s);
        restoreXsave(s);
        msrs.restore(vcpu, s.msrs);
        restoreDebug(s);
        restoreEvents(s, elsewhere);
    }

    /**
     * As {@link #restore} for a processor in the state {@code from}: writes what differs.
     *
     * @throws IllegalArgumentException if the host's processor or kernel cannot hold it
     */
    void change(VcpuState from, VcpuState to) {
        if (systemDiffers(from, to)) {
            restoreSystem(to);
        }
        restoreGeneral(to);
        if (from.xcr0 != to.xcr0) {
            restoreXcr0(to);
        }
        if (!Arrays.equals(from.xsave, to.xsave)) {
            restoreXsave(to);
        }
        msrs.restore(vcpu, to.msrs);
        if (!Arrays.equals(from.dr, to.dr)) {
            restoreDebug(to);
        }
        restoreEvents(to, from.rip != to.rip);
    }

    private static boolean systemDiffers(VcpuState a, VcpuState b) {
        return a.cr0 != b.cr0
                || a.cr2 != b.cr2
                || a.cr3 != b.cr3
                || a.cr4 != b.cr4
                || a.cr8 != b.cr8
                || a.efer != b.efer
                || !Arrays.equals(a.segments, b.segments)
                || !a.gdtr.equals(b.gdtr)
                || !a.idtr.equals(b.idtr);
    }

    private void restoreGeneral(VcpuState s) {
        for (int n = 0; n < GPR.length; n++) {
            regs.set(LONG, GPR[n], s.gpr[n]);
        }
        regs.set(LONG, RIP, s.rip);
        regs.set(LONG, RFLAGS, s.rflags | 2);
        check("registers", vcpu.tryCall(Ioctl.SET_REGS, regs));
    }

    private void restoreDebug(VcpuState s) {
        for (int n = 0; n < 4; n++) {
            debug.set(LONG, 8L * n, s.dr[n]);
        }
        Fields.putLong(debug, Layouts.DEBUGREGS, "dr6", s.dr[6]);
        Fields.putLong(debug, Layouts.DEBUGREGS, "dr7", s.dr[7]);
        Fields.putLong(debug, Layouts.DEBUGREGS, "flags", 0);
        check("debug registers", vcpu.tryCall(Ioctl.SET_DEBUGREGS, debug));
    }

    /** IA32_APIC_BASE, which is not part of a state. */
    long apicBase() {
        vcpu.call(Ioctl.GET_SREGS, sregs);
        return Fields.getLong(sregs, Layouts.SREGS, "apic_base");
    }

    /** As {@link #apicBase}, when this was last asked for control registers; it costs nothing. */
    long knownApicBase() {
        return Fields.getLong(sregs, Layouts.SREGS, "apic_base");
    }

    void setApicBase(long value) {
        vcpu.call(Ioctl.GET_SREGS, sregs);
        Fields.putLong(sregs, Layouts.SREGS, "apic_base", value);
        vcpu.call(Ioctl.SET_SREGS, sregs);
    }

    private void restoreSystem(VcpuState s) {
        // What is not part of the state, the APIC's base, stays.
        vcpu.call(Ioctl.GET_SREGS, sregs);
        for (int n = 0; n < SEGMENTS.length; n++) {
            putSegment(SEGMENTS[n], s.segments[n]);
        }
        putTable("gdt", s.gdtr);
        putTable("idt", s.idtr);
        Fields.putLong(sregs, Layouts.SREGS, "cr0", s.cr0);
        Fields.putLong(sregs, Layouts.SREGS, "cr2", s.cr2);
        Fields.putLong(sregs, Layouts.SREGS, "cr3", s.cr3);
        Fields.putLong(sregs, Layouts.SREGS, "cr4", s.cr4);
        Fields.putLong(sregs, Layouts.SREGS, "cr8", s.cr8);
        Fields.putLong(sregs, Layouts.SREGS, "efer", s.efer);
        sregs.asSlice(Layouts.offset(Layouts.SREGS, "interrupt_bitmap"), 32).fill((byte) 0);
        check("control registers and segments", vcpu.tryCall(Ioctl.SET_SREGS, sregs));
    }

    private void putSegment(int at, Segment segment) {
        int attributes = segment.attributes();
        int[] values = {
            attributes & 0xf,
            attributes >> 7 & 1,
            attributes >> 5 & 3,
            attributes >> 14 & 1,
            attributes >> 4 & 1,
            attributes >> 13 & 1,
            attributes >> 15 & 1,
            attributes >> 12 & 1,
            ~attributes >> 7 & 1
        };
        sregs.set(LONG, at + SEGMENT[0], segment.base());
        sregs.set(ValueLayout.JAVA_INT, at + SEGMENT[1], segment.limit());
        sregs.set(ValueLayout.JAVA_SHORT, at + SEGMENT[2], (short) segment.selector());
        for (int n = 0; n < values.length; n++) {
            sregs.set(ValueLayout.JAVA_BYTE, at + SEGMENT[3 + n], (byte) values[n]);
        }
    }

    private void putTable(String name, TableRegister value) {
        int at = Layouts.offset(Layouts.SREGS, name);
        sregs.set(LONG, at, value.base());
        int limit = at + Layouts.offset(Layouts.DTABLE, "limit");
        sregs.set(ValueLayout.JAVA_SHORT, limit, (short) value.limit());
    }

    private void restoreXcr0(VcpuState s) {
        xcrs.fill((byte) 0);
        Fields.putInt(xcrs, Layouts.XCRS, "nr_xcrs", 1);
        xcrs.set(LONG, XCR_VALUE, s.xcr0);
        int set = vcpu.tryCall(Ioctl.SET_XCRS, xcrs);
        if (set != 0 && s.xcr0 != 1) {
            check("XCR0", set);
        }
    }

    private void restoreXsave(VcpuState s) {
        xsave.fill((byte) 0);
        int length = Math.min(s.xsave.length, XSAVE_SIZE);
        MemorySegment.copy(s.xsave, 0, xsave, ValueLayout.JAVA_BYTE, 0, length);
        // Only the standard format is exchanged.
        xsave.set(LONG, XCOMP_BV, 0);
        if (length > xsaveSize && hasMore(s)) {
            throw new IllegalArgumentException("This processor lacks state components");
        }
        check("floating-point and vector state", vcpu.tryCall(Ioctl.SET_XSAVE, xsave));
    }

    private boolean hasMore(VcpuState s) {
        for (int n = xsaveSize; n < s.xsave.length; n++) {
            if (s.xsave[n] != 0) {
                return true;
            }
        }
        return false;
    }

    private void restoreEvents(VcpuState s, boolean elsewhere) {
        vcpu.call(Ioctl.GET_VCPU_EVENTS, events);
        if (elsewhere) {
            // What was about to be delivered belonged to the place that execution is taken from.
            putEvent("exception.injected", 0);
            putEvent("exception.pending", 0);
            putEvent("interrupt.injected", 0);
            putEvent("interrupt.soft", 0);
        }
        putEvent("interrupt.shadow", s.interruptShadow ? SHADOW_STI : 0);
        putEvent("nmi.injected", 0);
        putEvent("nmi.pending", s.nmiPending ? 1 : 0);
        putEvent("nmi.masked", s.nmiBlocked ? 1 : 0);
        Fields.putInt(events, Layouts.VCPU_EVENTS, "flags", NMI_VALID | SHADOW_VALID);
        check("pending events", vcpu.tryCall(Ioctl.SET_VCPU_EVENTS, events));
    }

    private void putEvent(String member, int value) {
        Fields.putByte(events, Layouts.VCPU_EVENTS, member, value);
    }

    private static void check(String what, int result) {
        if (result < 0) {
            throw new IllegalArgumentException(
                    "KVM cannot hold these " + what + ": " + LinuxCalls.describe(-result));
        }
    }
}
