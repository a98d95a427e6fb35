package org.javisor.interpreter;

import static org.javisor.interpreter.Descriptors.readSystem;

import org.javisor.x86.Instruction;

/**
 * Transfers between code segments: far JMP, CALL and RET, call gates, IRET, SYSCALL and SYSENTER
 * with their returns (Intel SDM vol. 3A, 5.8 and 6.12; vol. 2). Task switches are refused with #GP.
 */
final class FarTransfers {
    private FarTransfers() {}

    /** Loads the inner stack if there is one, pushes the words and only then changes SS and RSP. */
    static void pushOnHandlerStack(
            Cpu c, boolean inner, int newCpl, long[] words, int count, int size) {
        int selector = c.segments.selector[Cpu.SS];
        long base = c.segments.base[Cpu.SS];
        boolean stack32 = c.segments.stack32();
        long top = c.gpr[Cpu.RSP];
        long descriptor = 0;
        if (inner) {
            boolean task32 = (c.segments.attributes[Cpu.TR] & 8) != 0;
            int offset = task32 ? 4 + newCpl * 8 : 2 + newCpl * 4;
            int width = task32 ? 4 : 2;
            if (offset + width + 1 > c.segments.limit[Cpu.TR]) {
                throw GuestFault.of(GuestFault.TS, c.segments.selector[Cpu.TR] & 0xfffc);
            }
            long task = c.segments.base[Cpu.TR];
            top = readSystem(c, task + offset, width);
            selector = (int) readSystem(c, task + offset + width, 2);
            descriptor = Descriptors.stackDescriptor(c, selector, newCpl, GuestFault.TS);
            base = Descriptors.base(descriptor);
            stack32 = Descriptors.big(descriptor);
        }
        long mask = stack32 ? 0xffffffffL : 0xffff;
        checkStackLimit(c, inner, descriptor, selector, top & mask, mask, count * size);
        int savedCpl = c.cpl;
        c.cpl = newCpl;
        c.mmu.updateContext();
        try {
            for (int n = 1; n <= count; n++) {
                c.mmu.checkWritable(base + (top - (long) n * size & mask) & 0xffffffffL, size);
            }
            for (int n = 0; n < count; n++) {
                top = top & ~mask | top - size & mask;
                c.mmu.write(base + (top & mask) & 0xffffffffL, size, words[n]);
            }
        } finally {
            c.cpl = savedCpl;
            c.mmu.updateContext();
        }
        if (inner) {
            Descriptors.install(
                    c, Cpu.SS, selector, Descriptors.markAccessed(c, selector, descriptor));
        }
        c.gpr[Cpu.RSP] = stack32 ? top & 0xffffffffL : c.gpr[Cpu.RSP] & ~0xffffL | top & 0xffff;
    }

    /** Whether the stack segment, the present one or an inner level's, has room for a frame. */
    private static void checkStackLimit(
            Cpu c, boolean inner, long descriptor, int selector, long top, long mask, int bytes) {
        long bottom = top - bytes & mask;
        boolean wraps = bottom > top && top != 0;
        if (!inner) {
            // A frame that wraps in its middle is left to what its pushes do one by one.
            if (!wraps && !c.segments.covers(c, Cpu.SS, bottom, bytes, true)) {
                throw GuestFault.ss0();
            }
            return;
        }
        long limit = Descriptors.limit(descriptor);
        boolean expandsDown = (Descriptors.type(descriptor) & 4) != 0;
        boolean fits = expandsDown ? bottom > limit : (top - 1 & mask) <= limit;
        if (!fits || wraps) {
            throw GuestFault.of(GuestFault.SS, selector & 0xfffc);
        }
    }

    // JMP and CALL

    static void jumpFar(Cpu c, Instruction i) {
        transfer(c, i, false);
    }

    static void callFar(Cpu c, Instruction i) {
        transfer(c, i, true);
    }

    private static void transfer(Cpu c, Instruction i, boolean call) {
        long offset;
        int selector;
        int size = i.operandSize;
        if (i.kind0 == Instruction.FAR) {
            offset = i.imm & Cpu.mask(size);
            selector = (int) i.imm2 & 0xffff;
        } else {
            offset = c.load(i, size);
            selector = c.load16(i, size);
        }
        if (!c.control.protectedMode()) {
            if (call) {
                pushReturn(c, size);
            }
            c.segments.setReal(Cpu.CS, selector);
            c.rip = offset;
            c.vcpu.codeSegmentChanged(0);
            return;
        }
        if (Descriptors.isNull(selector)) {
            throw GuestFault.gp0();
        }
        long descriptor = Descriptors.read(c, selector, GuestFault.GP);
        if (!Descriptors.notSystem(descriptor)) {
            throughGate(c, selector, descriptor, call);
            return;
        }
        checkDirect(c, selector, descriptor);
        checkTarget(c, descriptor, offset);
        if (call) {
            pushReturn(c, size);
        }
        Descriptors.installCode(c, selector, descriptor, c.cpl);
        c.rip = offset;
    }

    private static void pushReturn(Cpu c, int size) {
        long saved = c.gpr[Cpu.RSP];
        try {
            c.push(size, c.segments.selector[Cpu.CS]);
            c.push(size, c.rip);
        } catch (GuestFault f) {
            c.gpr[Cpu.RSP] = saved;
            throw f;
        }
    }

    private static void checkDirect(Cpu c, int selector, long descriptor) {
        boolean allowed =
                Descriptors.conforming(descriptor)
                        ? Descriptors.dpl(descriptor) <= c.cpl
                        : (selector & 3) <= c.cpl && Descriptors.dpl(descriptor) == c.cpl;
        boolean confused =
                c.control.longMode()
                        && Descriptors.longCode(descriptor)
                        && Descriptors.big(descriptor);
        if (!Descriptors.code(descriptor) || !allowed || confused) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        if (!Descriptors.present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc);
        }
    }

    private static void checkTarget(Cpu c, long descriptor, long offset) {
        boolean long64 = c.control.longMode() && Descriptors.longCode(descriptor);
        boolean fits =
                long64 ? offset << 16 >> 16 == offset : offset <= Descriptors.limit(descriptor);
        if (!fits) {
            throw GuestFault.gp0();
        }
    }

    private static void throughGate(Cpu c, int selector, long gate, boolean call) {
        boolean longMode = c.control.longMode();
        int type = Descriptors.type(gate);
        boolean callGate = type == 0xc || type == 4 && !longMode;
        if (!callGate || Descriptors.dpl(gate) < c.cpl || Descriptors.dpl(gate) < (selector & 3)) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        if (!Descriptors.present(gate)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc);
        }
        int target = (int) (gate >>> 16) & 0xffff;
        long offset = gate & 0xffff | (type == 0xc ? gate >>> 32 & 0xffff0000L : 0);
        if (longMode) {
            long at = Descriptors.address(c, selector, 16);
            if (at == -1) {
                throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
            }
            long high = readSystem(c, at + 8, 8);
            if ((high >>> 40 & 0x1f) != 0) {
                throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
            }
            offset |= high << 32;
        }
        if (Descriptors.isNull(target)) {
            throw GuestFault.gp0();
        }
        long descriptor = Descriptors.read(c, target, GuestFault.GP);
        boolean wrongMode =
                longMode && (!Descriptors.longCode(descriptor) || Descriptors.big(descriptor));
        if (!Descriptors.code(descriptor) || Descriptors.dpl(descriptor) > c.cpl || wrongMode) {
            throw GuestFault.of(GuestFault.GP, target & 0xfffc);
        }
        if (!Descriptors.present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, target & 0xfffc);
        }
        checkTarget(c, descriptor, offset);
        boolean inner = !Descriptors.conforming(descriptor) && Descriptors.dpl(descriptor) < c.cpl;
        if (!call && inner) {
            throw GuestFault.of(GuestFault.GP, target & 0xfffc);
        }
        int newCpl = inner ? Descriptors.dpl(descriptor) : c.cpl;
        if (call) {
            if (longMode) {
                callLong(c, inner, newCpl);
            } else {
                callProtected(c, gate, type, inner, newCpl);
            }
        }
        Descriptors.installCode(c, target, descriptor, newCpl);
        c.rip = offset;
    }

    private static void callProtected(Cpu c, long gate, int type, boolean inner, int newCpl) {
        int size = type == 0xc ? 4 : 2;
        int parameters = inner ? (int) (gate >>> 32) & 0x1f : 0;
        long[] words = new long[4 + parameters];
        int count = 0;
        if (inner) {
            words[count++] = c.segments.selector[Cpu.SS];
            words[count++] = c.gpr[Cpu.RSP];
            for (int n = parameters - 1; n >= 0; n--) {
                words[count++] = c.peek(size, (long) n * size);
            }
        }
        words[count++] = c.segments.selector[Cpu.CS];
        words[count++] = c.rip;
        pushOnHandlerStack(c, inner, newCpl, words, count, size);
    }

    private static void callLong(Cpu c, boolean inner, int newCpl) {
        long oldStack = c.gpr[Cpu.RSP];
        long top = oldStack;
        if (inner) {
            int offset = 4 + newCpl * 8;
            if (offset + 7 > c.segments.limit[Cpu.TR]) {
                throw GuestFault.of(GuestFault.TS, c.segments.selector[Cpu.TR] & 0xfffc);
            }
            top = readSystem(c, c.segments.base[Cpu.TR] + offset, 8);
        }
        int bytes = inner ? 32 : 16;
        long frame = top - bytes;
        int savedCpl = c.cpl;
        c.cpl = newCpl;
        c.mmu.updateContext();
        try {
            c.mmu.checkWritable(frame, bytes);
            c.mmu.write64(frame, c.rip);
            c.mmu.write64(frame + 8, c.segments.selector[Cpu.CS]);
            if (inner) {
                c.mmu.write64(frame + 16, oldStack);
                c.mmu.write64(frame + 24, c.segments.selector[Cpu.SS]);
            }
        } finally {
            c.cpl = savedCpl;
            c.mmu.updateContext();
        }
        if (inner) {
            Descriptors.setNullStack(c, newCpl, newCpl);
        }
        c.gpr[Cpu.RSP] = frame;
    }

    // RET and IRET

    static void returnFar(Cpu c, Instruction i) {
        int size = i.operandSize;
        long extra = i.kind0 == Instruction.IMM ? i.imm & 0xffff : 0;
        long target = c.peek(size, 0);
        int selector = (int) c.peek(size, size) & 0xffff;
        if (!c.control.protectedMode()) {
            c.setStackPointer(c.stackPointer() + 2L * size + extra);
            c.segments.setReal(Cpu.CS, selector);
            c.rip = target;
            c.vcpu.codeSegmentChanged(0);
            return;
        }
        long descriptor = returnSegment(c, selector);
        checkTarget(c, descriptor, target);
        int newCpl = selector & 3;
        if (newCpl == c.cpl) {
            c.setStackPointer(c.stackPointer() + 2L * size + extra);
            Descriptors.installCode(c, selector, descriptor, newCpl);
            c.rip = target;
            return;
        }
        long stack = c.peek(size, 2L * size + extra);
        int stackSelector = (int) c.peek(size, 3L * size + extra) & 0xffff;
        returnOutward(c, selector, descriptor, target, stackSelector, stack + extra);
    }

    private static long returnSegment(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            throw GuestFault.gp0();
        }
        long descriptor = Descriptors.read(c, selector, GuestFault.GP);
        int rpl = selector & 3;
        boolean allowed =
                Descriptors.conforming(descriptor)
                        ? Descriptors.dpl(descriptor) <= rpl
                        : Descriptors.dpl(descriptor) == rpl;
        boolean confused =
                c.control.longMode()
                        && Descriptors.longCode(descriptor)
                        && Descriptors.big(descriptor);
        if (!Descriptors.code(descriptor) || rpl < c.cpl || !allowed || confused) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc);
        }
        if (!Descriptors.present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc);
        }
        return descriptor;
    }

    /**
     * Takes over code and stack of an outer (or, for IRET in 64-bit mode, the same) privilege
     * level.
     */
    private static void returnOutward(
            Cpu c, int selector, long descriptor, long target, int stackSelector, long stack) {
        int newCpl = selector & 3;
        boolean toLong = c.control.longMode() && Descriptors.longCode(descriptor);
        long stackDescriptor = 0;
        boolean nullStack = Descriptors.isNull(stackSelector);
        if (nullStack) {
            if (!toLong || newCpl == 3 || (stackSelector & 3) != newCpl) {
                throw GuestFault.gp0();
            }
        } else {
            stackDescriptor = Descriptors.stackDescriptor(c, stackSelector, newCpl, GuestFault.GP);
            stackDescriptor = Descriptors.markAccessed(c, stackSelector, stackDescriptor);
        }
        boolean outward = newCpl > c.cpl;
        Descriptors.installCode(c, selector, descriptor, newCpl);
        if (nullStack) {
            Descriptors.setNullStack(c, stackSelector, newCpl);
        } else {
            Descriptors.install(c, Cpu.SS, stackSelector, stackDescriptor);
        }
        if (toLong) {
            c.gpr[Cpu.RSP] = stack;
        } else {
            c.setStackPointer(stack);
        }
        c.rip = target;
        if (outward) {
            dropPrivilegedSegments(c, newCpl);
        }
    }

    /** Data segments that the outer level may not use become null. */
    private static void dropPrivilegedSegments(Cpu c, int newCpl) {
        for (int register : DATA_SEGMENTS) {
            int attributes = c.segments.attributes[register];
            boolean conformingCode = (attributes & 0xc) == 0xc;
            if ((attributes & Segments.PRESENT) != 0
                    && !conformingCode
                    && c.segments.dpl(register) < newCpl) {
                c.segments.setNull(register, 0);
            }
        }
    }

    private static final int[] DATA_SEGMENTS = {Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS};

    static void interruptReturn(Cpu c, Instruction i) {
        int size = i.operandSize;
        if (!c.control.protectedMode()) {
            returnReal(c, size);
            return;
        }
        if (c.flags.has(Flags.NT)) {
            throw c.control.longMode() ? GuestFault.gp0() : GuestFault.of(GuestFault.TS);
        }
        long target = c.peek(size, 0);
        int selector = (int) c.peek(size, size) & 0xffff;
        long newFlags = c.peek(size, 2L * size);
        if (!c.control.longMode() && c.cpl == 0 && (newFlags & Flags.VM) != 0) {
            throw GuestFault.gp0();
        }
        long descriptor = returnSegment(c, selector);
        checkTarget(c, descriptor, target);
        int oldCpl = c.cpl;
        int newCpl = selector & 3;
        if (newCpl == oldCpl && !c.code64) {
            c.setStackPointer(c.stackPointer() + 3L * size);
            Descriptors.installCode(c, selector, descriptor, newCpl);
            c.rip = target;
        } else {
            long stack = c.peek(size, 3L * size);
            int stackSelector = (int) c.peek(size, 4L * size) & 0xffff;
            returnOutward(c, selector, descriptor, target, stackSelector, stack);
        }
        int changeable = Flags.ARITHMETIC | Flags.TF | Flags.DF | Flags.NT;
        if (size > 2) {
            changeable |= Flags.RF | Flags.AC | Flags.ID;
        }
        if (oldCpl <= c.flags.iopl()) {
            changeable |= Flags.IF;
        }
        if (oldCpl == 0) {
            changeable |= Flags.IOPL;
        }
        setFlags(c, newFlags, changeable);
        c.vcpu.events().nmiDone();
    }

    private static void returnReal(Cpu c, int size) {
        long target = c.peek(size, 0);
        int selector = (int) c.peek(size, size) & 0xffff;
        long newFlags = c.peek(size, 2L * size);
        c.setStackPointer(c.stackPointer() + 3L * size);
        c.segments.setReal(Cpu.CS, selector);
        c.rip = target;
        int changeable = Flags.ARITHMETIC | Flags.TF | Flags.IF | Flags.DF | Flags.IOPL | Flags.NT;
        setFlags(c, newFlags, size == 2 ? changeable : changeable | Flags.RF | Flags.AC | Flags.ID);
        c.vcpu.codeSegmentChanged(0);
        c.vcpu.events().nmiDone();
    }

    static void setFlags(Cpu c, long value, int changeable) {
        c.flags.setValue(c.flags.value() & ~changeable | value & changeable);
        c.vcpu.flagsChanged();
    }

    // Fast system calls

    static void syscall(Cpu c, Instruction i) {
        if (!c.code64 || (c.control.efer & ControlRegisters.EFER_SCE) == 0) {
            throw GuestFault.ud();
        }
        c.gpr[Cpu.RCX] = c.rip;
        c.gpr[11] = c.flags.value() & ~Flags.RF;
        c.rip = c.msr.lstar;
        c.flags.setValue(c.gpr[11] & ~c.msr.fmask);
        enterKernel(c);
        c.vcpu.flagsChanged();
    }

    /** The segments and the privilege of SYSCALL's target. */
    static void enterKernel(Cpu c) {
        int selector = (int) (c.msr.star >>> 32) & 0xfffc;
        flatCode(c, selector, 0, true);
        flatStack(c, selector + 8, 0);
        c.vcpu.codeSegmentChanged(0);
    }

    /** Those of a SYSRET to 64-bit code. */
    static void returnToUser(Cpu c) {
        int selector = (int) (c.msr.star >>> 48) & 0xffff;
        flatCode(c, selector + 16 | 3, 3, true);
        flatStack(c, selector + 8 | 3, 3);
        c.vcpu.codeSegmentChanged(3);
    }

    static void sysret(Cpu c, Instruction i) {
        if (!c.code64 || (c.control.efer & ControlRegisters.EFER_SCE) == 0) {
            throw GuestFault.ud();
        }
        c.requireCpl0();
        int selector = (int) (c.msr.star >>> 48) & 0xffff;
        boolean to64 = i.operandSize == 8;
        long target = to64 ? c.gpr[Cpu.RCX] : c.gpr[Cpu.RCX] & 0xffffffffL;
        if (target << 16 >> 16 != target) {
            throw GuestFault.gp0();
        }
        flatCode(c, (to64 ? selector + 16 : selector) | 3, 3, to64);
        flatStack(c, selector + 8 | 3, 3);
        c.rip = target;
        c.flags.setValue(c.gpr[11] & 0x3c7fd7);
        c.vcpu.codeSegmentChanged(3);
        c.vcpu.flagsChanged();
    }

    static void sysenter(Cpu c, Instruction i) {
        if (!c.control.protectedMode() || Descriptors.isNull((int) c.msr.sysenterCs)) {
            throw GuestFault.gp0();
        }
        boolean longMode = c.control.longMode();
        int selector = (int) c.msr.sysenterCs & 0xfffc;
        flatCode(c, selector, 0, longMode);
        flatStack(c, selector + 8, 0);
        c.gpr[Cpu.RSP] = longMode ? c.msr.sysenterEsp : c.msr.sysenterEsp & 0xffffffffL;
        c.rip = longMode ? c.msr.sysenterEip : c.msr.sysenterEip & 0xffffffffL;
        c.flags.system &= ~(Flags.VM | Flags.IF | Flags.RF);
        c.vcpu.codeSegmentChanged(0);
        c.vcpu.flagsChanged();
    }

    static void sysexit(Cpu c, Instruction i) {
        if (!c.control.protectedMode()
                || c.cpl != 0
                || Descriptors.isNull((int) c.msr.sysenterCs)) {
            throw GuestFault.gp0();
        }
        boolean to64 = i.operandSize == 8;
        long target = to64 ? c.gpr[Cpu.RDX] : c.gpr[Cpu.RDX] & 0xffffffffL;
        long stack = to64 ? c.gpr[Cpu.RCX] : c.gpr[Cpu.RCX] & 0xffffffffL;
        if (target << 16 >> 16 != target || stack << 16 >> 16 != stack) {
            throw GuestFault.gp0();
        }
        int selector = (int) c.msr.sysenterCs & 0xfffc;
        flatCode(c, selector + (to64 ? 32 : 16) | 3, 3, to64);
        flatStack(c, selector + (to64 ? 40 : 24) | 3, 3);
        c.gpr[Cpu.RSP] = stack;
        c.rip = target;
        c.vcpu.codeSegmentChanged(3);
    }

    private static void flatCode(Cpu c, int selector, int cpl, boolean long64) {
        int attributes = 0x809b | cpl << 5 | (long64 ? Segments.LONG : Segments.BIG);
        c.segments.set(Cpu.CS, selector, 0, 0xffffffffL, attributes);
    }

    private static void flatStack(Cpu c, int selector, int cpl) {
        c.segments.set(Cpu.SS, selector, 0, 0xffffffffL, 0xc093 | cpl << 5);
    }
}
