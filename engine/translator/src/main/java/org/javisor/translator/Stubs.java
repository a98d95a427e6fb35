package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.Arrays;
import org.javisor.memory.ExecutableMemory;

/**
 * The code around translated code: how it is entered from Java and left again.
 *
 * <p>Inside, the guest's general registers are where {@link Gpr} says, its XMM registers in the
 * host's of the same number, its arithmetic flags in the host's; RSP is the host's stack.
 */
final class Stubs {
    private static final int ARCH_PRCTL = 158;
    private static final int ARCH_SET_GS = 0x1001;

    /** {@code int enter(long target)}: the result is an {@link ExitReason}. */
    final long enter;

    /** {@code long setGsBase(long address)}: 0 if the host agrees. */
    final long setGsBase;

    /** By {@link ExitReason}: leaves with the number of its site in {@link Gpr#SCRATCH}. */
    final long[] exit = new long[ExitReason.COUNT];

    /** The same for {@link ExitReason#MEMORY}, where {@link ProcessorBlock#LINEAR} is set. */
    final long exitRenewing;

    /**
     * By context: goes on at the linear address in {@link Gpr#ADDRESS}, looking for events on the
     * way; {@link ProcessorBlock#SITE} is set.
     */
    final long[] lookUp = new long[Context.COUNT];

    /** By context: where a host's return leads for which there was no call. */
    final long[] lastReturn = new long[Context.COUNT];

    /** By context, whether it writes, and alignment; see {@link #emitRenew}. */
    private final long[] renewSlot = new long[Context.COUNT * 2 * ALIGNMENT.length];

    private static final int[] ALIGNMENT = {1, 16, 32};

    /** Bytes that accesses and groups of them span, rounded up. */
    private static final int[] SPANS = {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256};

    /** What accesses can be like: spans without alignment, then alignments whatever the span. */
    private static final int ACCESS_KINDS = SPANS.length + ALIGNMENT.length - 1;

    /** By context, whether it writes, and kind. */
    private final long[] access = new long[Context.COUNT * 2 * ACCESS_KINDS];

    /**
     * The part of the host's stack for calls in a row, 16 bytes each: its addresses have this bit.
     */
    static final int CALL_DEPTH = 1 << 14;

    /** Bytes used. */
    final int size;

    Stubs(ExecutableMemory memory) {
        Assembler a = new Assembler();
        a.begin(memory.address());
        setGsBase = a.here();
        if (HostFeatures.gsBaseWritable()) {
            emitWriteGsBase(a);
        } else {
            emitSetGsBase(a);
        }
        enter = a.here();
        emitEnter(a);
        long leave = a.here();
        emitLeave(a);
        long[] exitFromStub = new long[ExitReason.COUNT];
        for (int reason = 0; reason < exit.length; reason++) {
            exit[reason] = a.here();
            if (ExitReason.hasAddress(reason)) {
                a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
            }
            a.storeState32(ProcessorBlock.SITE, Gpr.SCRATCH);
            exitFromStub[reason] = a.here();
            a.storeStateImm32(ProcessorBlock.REASON, reason);
            a.jmp(leave);
        }
        exitRenewing = a.here();
        a.storeState32(ProcessorBlock.SITE, Gpr.SCRATCH);
        a.jmp(exitFromStub[ExitReason.MEMORY]);
        for (int n = 0; n < access.length; n++) {
            access[n] = a.here();
            int kind = n % ACCESS_KINDS;
            emitAccess(
                    a,
                    n / ACCESS_KINDS / 2,
                    n / ACCESS_KINDS % 2 != 0,
                    SPANS[Math.min(kind, SPANS.length - 1)],
                    ALIGNMENT[Math.max(0, kind - SPANS.length + 1)],
                    exitFromStub[ExitReason.MEMORY]);
        }
        for (int context = 0; context < Context.COUNT; context++) {
            lastReturn[context] = a.here();
            a.lea(RSP, RSP, -8);
            lookUp[context] = a.here();
            emitLookUp(a, context, exitFromStub);
        }
        for (int n = 0; n < renewSlot.length; n++) {
            renewSlot[n] = a.here();
            emitRenew(
                    a,
                    n / ALIGNMENT.length / 2,
                    n / ALIGNMENT.length % 2 != 0,
                    ALIGNMENT[n % ALIGNMENT.length]);
        }
        size = a.size();
        memory.write(0, a.buffer(), size);
    }

    /**
     * Puts the host address of the access at the linear address in {@link Gpr#ADDRESS} there, or
     * leaves for the site whose number is in {@link Gpr#SCRATCH}. No flags are touched.
     *
     * @param span one of {@link #span}
     */
    long access(int context, boolean write, int span, int alignment) {
        int kind =
                alignment > 1
                        ? SPANS.length - 1 + alignmentNumber(alignment)
                        : Arrays.binarySearch(SPANS, span);
        return access[(context * 2 + (write ? 1 : 0)) * ACCESS_KINDS + kind];
    }

    private static int alignmentNumber(int alignment) {
        return alignment < 16 ? 0 : alignment == 16 ? 1 : 2;
    }

    /** Where the stubs for accesses begin. */
    long firstAccess() {
        return access[0];
    }

    /** The least number of bytes, not below the given one, that there is a stub for; or 0. */
    static int span(int size) {
        for (int span : SPANS) {
            if (span >= size) {
                return span;
            }
        }
        return 0;
    }

    private static void emitAccess(
            Assembler a, int context, boolean write, int size, int alignment, long leave) {
        a.storeState32(ProcessorBlock.SITE, Gpr.SCRATCH);
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.ACCESSES_LEFT);
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, -1);
        a.storeState32(ProcessorBlock.ACCESSES_LEFT, Gpr.SCRATCH);
        int picked = a.jrcxzFarAhead();
        int miss = new TlbLookup(a, context, size, write, alignment).withoutFlags();
        a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        a.emit(0xc3);
        a.bind32(picked);
        a.bind32(miss);
        a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        a.lea(RSP, RSP, 8);
        a.jmp(leave);
    }

    long renewSlot(int context, boolean write, int alignment) {
        int n = alignmentNumber(alignment);
        return renewSlot[(context * 2 + (write ? 1 : 0)) * ALIGNMENT.length + n];
    }

    /**
     * Looks for the page of the linear address in {@link Gpr#ADDRESS} in the TLB and enters it into
     * the slot that {@link Gpr#SCRATCH} says, as {@link ProcessorBlock#RENEW_ARGUMENT} describes.
     * That register is 0 afterwards if the access may take place, and the other has its host
     * address; else, or when that has happened often, the linear one stands in {@link
     * ProcessorBlock#LINEAR}. No flags are touched.
     */
    private static void emitRenew(Assembler a, int context, boolean write, int alignment) {
        int table = ProcessorBlock.tlb(context);
        a.storeState(ProcessorBlock.RENEW_RAX, RAX);
        a.storeState(ProcessorBlock.RENEW_ARGUMENT, Gpr.SCRATCH);
        TlbLookup.emitIndex(a, RAX, Gpr.ADDRESS);
        a.storeState(ProcessorBlock.RENEW_INDEX, RAX);
        a.memState(RAX, 3, table + (write ? ProcessorBlock.TLB_WRITE : ProcessorBlock.TLB_READ));
        a.loadMem(RAX);
        a.storeState(ProcessorBlock.RENEW_PAGE, RAX);
        a.memState(ProcessorBlock.RENEW_ARGUMENT + 2);
        a.opMem(0, false, MAP_0F, 0xb7, Gpr.SCRATCH, false); // movzx
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, RAX, 0);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 0);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        int found = a.jrcxzAhead();
        a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        a.loadState(RAX, ProcessorBlock.RENEW_RAX);
        a.emit(0xc3); // ret
        a.bind8(found);
        int slots = ProcessorBlock.slots(context);
        a.memState(ProcessorBlock.RENEW_ARGUMENT);
        a.opMem(0, false, MAP_0F, 0xb7, Gpr.SCRATCH, false);
        a.loadState(RAX, ProcessorBlock.RENEW_INDEX);
        a.memState(RAX, 3, table + ProcessorBlock.TLB_DISTANCE);
        a.loadMem(RAX);
        a.memState(Gpr.SCRATCH, 0, slots + ProcessorBlock.SLOT_DISTANCE);
        a.storeMem(RAX);
        a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, RAX, 0);
        a.loadState(RAX, ProcessorBlock.RENEW_PAGE);
        a.memState(Gpr.SCRATCH, 0, slots + ProcessorBlock.SLOT_PAGE);
        a.storeMem(RAX);
        a.pextState(RAX, Gpr.SCRATCH, ProcessorBlock.SLOT_GROUP_MASK);
        a.memState(RAX, 0, slots + ProcessorBlock.SLOT_RENEWED);
        a.opMem(false, 0xc6, 0); // mov byte
        a.emit(1);
        a.memState(Gpr.SCRATCH, 0, slots + ProcessorBlock.SLOT_PATIENCE);
        a.loadMem(RAX);
        a.lea(RAX, RAX, -1);
        a.memState(Gpr.SCRATCH, 0, slots + ProcessorBlock.SLOT_PATIENCE);
        a.storeMem(RAX);
        a.mov(Gpr.SCRATCH, RAX);
        a.loadState(RAX, ProcessorBlock.RENEW_RAX);
        int over = a.jrcxzAhead();
        a.movImm32(Gpr.SCRATCH, 0);
        a.emit(0xc3);
        a.bind8(over);
        a.movImm32(Gpr.SCRATCH, 1);
        a.emit(0xc3);
    }

    private static void emitSetGsBase(Assembler a) {
        a.mov(RSI, RDI);
        a.movImm32(RDI, ARCH_SET_GS);
        a.movImm32(RAX, ARCH_PRCTL);
        a.emit(0x0f); // syscall
        a.emit(0x05);
        a.emit(0xc3); // ret
    }

    private static void emitWriteGsBase(Assembler a) {
        a.op(0xf3, true, MAP_0F, 0xae, 3, RDI, false); // wrgsbase
        a.movImm32(RAX, 0);
        a.emit(0xc3); // ret
    }

    private static void emitEnter(Assembler a) {
        for (int r : new int[] {RBX, RBP, R12, R13, R14, R15}) {
            push(a, r);
        }
        a.storeState(ProcessorBlock.HOST_STACK, RSP);
        a.storeState(ProcessorBlock.TARGET, RDI);
        a.loadState(RAX, ProcessorBlock.LAST_RETURN);
        a.aluImm(true, 4, RSP, -2 * CALL_DEPTH); // and
        push(a, RAX);
        a.storeState(ProcessorBlock.STACK_BOTTOM, RSP);
        ldmxcsr(a, ProcessorBlock.MXCSR);
        for (int n = 0; n < 16; n++) {
            a.memState(ProcessorBlock.vector(n));
            a.vexMem(0, MAP_0F, false, true, 0x10, n, 0); // vmovups
        }
        a.loadState32(RAX, ProcessorBlock.X87_WANTED);
        a.op(false, 0x85, RAX, RAX); // test
        int unwanted = a.jccShortAhead(4);
        xsaveArea(a, 5);
        a.storeStateImm32(ProcessorBlock.X87_MISSING, 0);
        a.bind8(unwanted);
        a.loadState32(RAX, ProcessorBlock.FLAGS);
        emitFlagsFromAx(a);
        for (int guest = 0; guest < 16; guest++) {
            int host = Gpr.host(guest);
            if (host != Gpr.SPILLED) {
                a.loadState(host, ProcessorBlock.register(guest));
            }
        }
        a.memState(ProcessorBlock.TARGET);
        a.jmpMem();
    }

    private static void emitLeave(Assembler a) {
        a.storeState(ProcessorBlock.register(0), RAX);
        emitFlagsToAx(a);
        a.storeState32(ProcessorBlock.FLAGS, RAX);
        for (int guest = 1; guest < 16; guest++) {
            int host = Gpr.host(guest);
            if (host != Gpr.SPILLED) {
                a.storeState(ProcessorBlock.register(guest), host);
            }
        }
        for (int n = 0; n < 16; n++) {
            a.memState(ProcessorBlock.vector(n));
            a.vexMem(0, MAP_0F, false, true, 0x11, n, 0);
        }
        a.emit(0xc5); // vzeroupper
        a.emit(0xf8);
        a.emit(0x77);
        a.loadState32(RAX, ProcessorBlock.X87_MISSING);
        a.op(false, 0x85, RAX, RAX); // test
        int missing = a.jccShortAhead(5);
        xsaveArea(a, 4);
        a.emit(0xdb); // fninit
        a.emit(0xe3);
        a.storeStateImm32(ProcessorBlock.X87_MISSING, 1);
        a.bind8(missing);
        a.memState(ProcessorBlock.MXCSR);
        a.opMem(0, false, MAP_0F, 0xae, 3, false); // stmxcsr
        ldmxcsr(a, ProcessorBlock.HOST_MXCSR);
        a.loadState(RSP, ProcessorBlock.HOST_STACK);
        for (int r : new int[] {R15, R14, R13, R12, RBP, RBX}) {
            pop(a, r);
        }
        a.loadState32(RAX, ProcessorBlock.REASON);
        a.emit(0xc3); // ret
    }

    private static void emitLookUp(Assembler a, int context, long[] exit) {
        int table = ProcessorBlock.jumps(context);
        a.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int event = a.jrcxzFarAhead();
        int miss = emitFind(a, table);
        a.jmpMem();
        a.bind32(miss);
        a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        a.jmp(exit[ExitReason.INDIRECT]);
        a.bind32(event);
        a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        a.jmp(exit[ExitReason.EVENT]);
    }

    /**
     * Sets up where a jump table leads for the linear address in {@link Gpr#ADDRESS} as memory
     * operand.
     *
     * @return the displacement of the jump for an address that the table does not hold
     */
    static int emitFind(Assembler a, int table) {
        emitEntry(a, table + ProcessorBlock.JUMP_TAG);
        a.loadMem(Gpr.SCRATCH);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 1);
        int miss = a.loopFarAhead();
        emitEntry(a, table + ProcessorBlock.JUMP_HOST);
        return miss;
    }

    /** Sets up the field of the jump table's entry for {@link Gpr#ADDRESS} as memory operand. */
    private static void emitEntry(Assembler a, int field) {
        a.rorx32(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.JUMP_PAGE_SHIFT);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 0);
        a.movzx16(Gpr.SCRATCH, Gpr.SCRATCH);
        a.memState(Gpr.SCRATCH, 3, field);
    }

    /** XSAVE (4) or XRSTOR (5) of the x87 component alone. */
    private static void xsaveArea(Assembler a, int operation) {
        a.movImm32(RAX, 1);
        a.op(false, 0x31, RDX, RDX); // xor
        a.memState(ProcessorBlock.X87_AREA);
        a.opMem(0, true, MAP_0F, 0xae, operation, false);
    }

    /** OF to AL, the rest to AH; the caller has put RAX aside. */
    static void emitFlagsToAx(Assembler a) {
        a.op(0, false, MAP_0F, 0x90, 0, RAX, false); // seto al
        a.emit(0x9f); // lahf
    }

    /** The reverse: AL becomes 80h or 7Fh, with OF by the addition; SAHF does the rest. */
    static void emitFlagsFromAx(Assembler a) {
        a.emit(0x04); // add al, 7Fh
        a.emit(0x7f);
        a.emit(0x9e); // sahf
    }

    private static void ldmxcsr(Assembler a, int offset) {
        a.memState(offset);
        a.opMem(0, false, MAP_0F, 0xae, 2, false);
    }

    private static void push(Assembler a, int register) {
        if (register >= 8) {
            a.emit(0x41);
        }
        a.emit(0x50 | register & 7);
    }

    private static void pop(Assembler a, int register) {
        if (register >= 8) {
            a.emit(0x41);
        }
        a.emit(0x58 | register & 7);
    }
}
