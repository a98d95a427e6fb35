package org.javisor.interpreter;

import static org.javisor.interpreter.Descriptors.readSystem;

/**
 * Delivery of exceptions and interrupts in every mode (Intel SDM vol. 3A, chapter 6), and the
 * double-fault rules. Task gates are refused with #GP: hardware task switching is not implemented.
 */
final class Interrupts {
    /**
     * What is delivered: decides about the gate's privilege check, the error code's EXT bit and
     * double faults.
     */
    enum Source {
        EXCEPTION,
        /** INT n, INT3, INTO. */
        SOFTWARE,
        EXTERNAL
    }

    private static final int CONTRIBUTORY =
            1 << GuestFault.DE
                    | 1 << GuestFault.TS
                    | 1 << GuestFault.NP
                    | 1 << GuestFault.SS
                    | 1 << GuestFault.GP;

    private final Cpu c;

    /** By vector; for statistics. */
    final long[] delivered = new long[256];

    Interrupts(Cpu cpu) {
        this.c = cpu;
    }

    /**
     * Delivers an exception, with RIP where the handler is to return to.
     *
     * @return false on a triple fault: the processor shuts down
     */
    boolean raise(int vector, int errorCode) {
        return begin(vector, Source.EXCEPTION, errorCode);
    }

    /** Delivers an external interrupt or NMI. */
    boolean interrupt(int vector) {
        return begin(vector, Source.EXTERNAL, 0);
    }

    private boolean begin(int vector, Source source, int errorCode) {
        while (true) {
            try {
                boolean hasCode = source == Source.EXCEPTION && GuestFault.hasErrorCode(vector);
                deliver(vector, source, hasCode, errorCode);
                return true;
            } catch (GuestFault second) {
                if (source == Source.EXCEPTION && vector == GuestFault.DF) {
                    return false;
                }
                boolean escalates =
                        source == Source.EXCEPTION && doubleFault(vector, second.vector);
                vector = escalates ? GuestFault.DF : second.vector;
                errorCode = escalates ? 0 : second.errorCode;
                source = Source.EXCEPTION;
            }
        }
    }

    private static boolean doubleFault(int first, int second) {
        boolean secondContributes = (CONTRIBUTORY >>> second & 1) != 0;
        if (first == GuestFault.PF) {
            return secondContributes || second == GuestFault.PF;
        }
        return (CONTRIBUTORY >>> first & 1) != 0 && secondContributes;
    }

    /**
     * INT n, INT3, INTO: RIP is already after the instruction. Faults leave everything as it was.
     */
    void software(int vector) {
        deliver(vector, Source.SOFTWARE, false, 0);
    }

    private void deliver(int vector, Source source, boolean hasCode, int errorCode) {
        delivered[vector]++;
        if (!c.control.protectedMode()) {
            deliverReal(vector);
        } else if (c.control.longMode()) {
            deliverLong(vector, source, hasCode, errorCode);
        } else {
            deliverProtected(vector, source, hasCode, errorCode);
        }
        c.vcpu.flagsChanged();
    }

    /**
     * RFLAGS as the handler's frame shows it: RF is set for faults, so that the retried instruction
     * is not trapped.
     */
    private long savedFlags(int vector, Source source) {
        boolean fault =
                source == Source.EXCEPTION
                        && vector != GuestFault.DB
                        && vector != GuestFault.BP
                        && vector != GuestFault.OF
                        && vector != GuestFault.DF;
        return c.flags.value() | (fault ? Flags.RF : 0);
    }

    private void deliverReal(int vector) {
        if (vector * 4 + 3 > c.control.idtLimit) {
            throw GuestFault.gp0();
        }
        long entry = readSystem(c, c.control.idtBase + vector * 4L, 4);
        long savedStack = c.gpr[Cpu.RSP];
        try {
            c.push(2, c.flags.value());
            c.push(2, c.segments.selector[Cpu.CS]);
            c.push(2, c.rip);
        } catch (GuestFault f) {
            c.gpr[Cpu.RSP] = savedStack;
            throw f;
        }
        c.flags.system &= ~(Flags.IF | Flags.TF | Flags.AC | Flags.RF);
        c.segments.setReal(Cpu.CS, (int) (entry >>> 16));
        c.rip = entry & 0xffff;
        c.vcpu.codeSegmentChanged(0);
    }

    private static int ext(Source source) {
        return source == Source.SOFTWARE ? 0 : 1;
    }

    private void deliverLong(int vector, Source source, boolean hasCode, int errorCode) {
        int ext = ext(source);
        int gateError = vector << 3 | 2 | ext;
        if (vector * 16 + 15 > c.control.idtLimit) {
            throw GuestFault.of(GuestFault.GP, gateError);
        }
        long gateAt = c.control.idtBase + vector * 16L;
        long low = readSystem(c, gateAt, 8);
        long high = readSystem(c, gateAt + 8, 8);
        int type = (int) (low >>> 40) & 0x1f;
        if (type != 0xe && type != 0xf
                || source == Source.SOFTWARE && Descriptors.dpl(low) < c.cpl) {
            throw GuestFault.of(GuestFault.GP, gateError);
        }
        if (!Descriptors.present(low)) {
            throw GuestFault.of(GuestFault.NP, gateError);
        }
        int selector = (int) (low >>> 16) & 0xffff;
        long descriptor = handlerSegment(selector, ext);
        if (!Descriptors.longCode(descriptor) || Descriptors.big(descriptor)) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc | ext);
        }
        long target = low & 0xffff | low >>> 32 & 0xffff0000L | high << 32;
        int newCpl = Descriptors.conforming(descriptor) ? c.cpl : Descriptors.dpl(descriptor);
        int ist = (int) (low >>> 32) & 7;
        long stack;
        if (ist != 0) {
            stack = taskStack(0x24 + (ist - 1) * 8, ext);
        } else if (newCpl < c.cpl) {
            stack = taskStack(4 + newCpl * 8, ext);
        } else {
            stack = c.gpr[Cpu.RSP];
        }
        stack &= -16;
        long frame = stack - (hasCode ? 48 : 40);
        if (target << 16 >> 16 != target) {
            throw GuestFault.gp0();
        }
        pushLongFrame(frame, hasCode, errorCode, savedFlags(vector, source), newCpl);
        if (newCpl < c.cpl) {
            Descriptors.setNullStack(c, newCpl, newCpl);
        }
        c.gpr[Cpu.RSP] = frame;
        enterHandler(selector, descriptor, target, newCpl, type == 0xe);
    }

    private void pushLongFrame(
            long frame, boolean hasCode, int errorCode, long savedFlags, int newCpl) {
        int savedCpl = c.cpl;
        c.cpl = newCpl;
        c.mmu.updateContext();
        try {
            long at = frame;
            c.mmu.checkWritable(frame, hasCode ? 48 : 40);
            if (hasCode) {
                c.mmu.write64(at, errorCode & 0xffffffffL);
                at += 8;
            }
            c.mmu.write64(at, c.rip);
            c.mmu.write64(at + 8, c.segments.selector[Cpu.CS]);
            c.mmu.write64(at + 16, savedFlags);
            c.mmu.write64(at + 24, c.gpr[Cpu.RSP]);
            c.mmu.write64(at + 32, c.segments.selector[Cpu.SS]);
        } catch (GuestFault f) {
            throw f == GuestFault.NON_CANONICAL ? GuestFault.ss0() : f;
        } finally {
            c.cpl = savedCpl;
            c.mmu.updateContext();
        }
    }

    private long taskStack(int offset, int ext) {
        if (offset + 7 > c.segments.limit[Cpu.TR]) {
            throw GuestFault.of(GuestFault.TS, c.segments.selector[Cpu.TR] & 0xfffc | ext);
        }
        long stack = readSystem(c, c.segments.base[Cpu.TR] + offset, 8);
        if (stack << 16 >> 16 != stack) {
            throw GuestFault.ss0();
        }
        return stack;
    }

    private long handlerSegment(int selector, int ext) {
        if (Descriptors.isNull(selector)) {
            throw GuestFault.of(GuestFault.GP, ext);
        }
        long at = Descriptors.address(c, selector, 8);
        if (at == -1) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc | ext);
        }
        long descriptor = readSystem(c, at, 8);
        if (!Descriptors.code(descriptor) || Descriptors.dpl(descriptor) > c.cpl) {
            throw GuestFault.of(GuestFault.GP, selector & 0xfffc | ext);
        }
        if (!Descriptors.present(descriptor)) {
            throw GuestFault.of(GuestFault.NP, selector & 0xfffc | ext);
        }
        return descriptor;
    }

    private void enterHandler(
            int selector, long descriptor, long target, int newCpl, boolean interruptGate) {
        Descriptors.installCode(c, selector, descriptor, newCpl);
        c.rip = target;
        c.flags.system &=
                ~(Flags.TF | Flags.NT | Flags.RF | Flags.VM | (interruptGate ? Flags.IF : 0));
    }

    private void deliverProtected(int vector, Source source, boolean hasCode, int errorCode) {
        int ext = ext(source);
        int gateError = vector << 3 | 2 | ext;
        if (vector * 8 + 7 > c.control.idtLimit) {
            throw GuestFault.of(GuestFault.GP, gateError);
        }
        long gate = readSystem(c, c.control.idtBase + vector * 8L, 8);
        int type = (int) (gate >>> 40) & 0x1f;
        boolean known = type == 6 || type == 7 || type == 0xe || type == 0xf;
        if (!known || source == Source.SOFTWARE && Descriptors.dpl(gate) < c.cpl) {
            throw GuestFault.of(GuestFault.GP, gateError);
        }
        if (!Descriptors.present(gate)) {
            throw GuestFault.of(GuestFault.NP, gateError);
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        long descriptor = handlerSegment(selector, ext);
        int size = (type & 8) != 0 ? 4 : 2;
        long target = gate & 0xffff | (size == 4 ? gate >>> 32 & 0xffff0000L : 0);
        if (target > Descriptors.limit(descriptor)) {
            throw GuestFault.of(GuestFault.GP, ext);
        }
        int newCpl = Descriptors.conforming(descriptor) ? c.cpl : Descriptors.dpl(descriptor);
        long[] words = new long[6];
        int count = 0;
        boolean inner = newCpl < c.cpl;
        if (inner) {
            words[count++] = c.segments.selector[Cpu.SS];
            words[count++] = c.gpr[Cpu.RSP];
        }
        words[count++] = savedFlags(vector, source);
        words[count++] = c.segments.selector[Cpu.CS];
        words[count++] = c.rip;
        if (hasCode) {
            words[count++] = errorCode;
        }
        FarTransfers.pushOnHandlerStack(c, inner, newCpl, words, count, size);
        enterHandler(selector, descriptor, target, newCpl, (type & 1) == 0);
    }
}
