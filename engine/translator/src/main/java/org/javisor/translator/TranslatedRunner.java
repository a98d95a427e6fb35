package org.javisor.translator;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.javisor.interpreter.CodeRunner;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.memory.GuestMemory;
import org.javisor.x86.Decoder;
import org.javisor.x86.FpuState;
import org.javisor.x86.FxsaveImage;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Enters translated code for one processor and answers its exits. */
final class TranslatedRunner implements CodeRunner {
    private static final int IF = 0x200, DF = 0x400, RF = 0x10000, ARITHMETIC = 0x8d5;
    private static final int ALL_MASKED = 0x1f80;

    /** The flags that SYSCALL has to clear for its handler to begin with none but bit 1. */
    private static final int KERNEL_MASKS = 0x247fd5;

    private static final int X87_MASKS = 0x3f, X87_SUMMARY = 0x80;
    private static final long PAGE = -4096;
    private static final int WRITABLE_HASHES = 1 << 16;
    private static final short SEVERAL = -1;
    private static final int GS = 5, FS = 4;

    /** As many renewals of a slot as it has patience in less time than that are too many. */
    private static final long OFTEN_NANOS = 1_000_000;

    private final GuestProcessor processor;
    private final TranslationCache cache;
    private final GuestMemory memory;
    private final ProcessorBlock state = new ProcessorBlock();
    private final AddressTables tables = new AddressTables(state);
    private final MemorySegment enter;
    private final MemorySegment setGsBase;

    /** What compares with the interpreter, if anything does. */
    private final Optional<Lockstep> lockstep;

    private final boolean verifying;

    private final FetchTable fetches = new FetchTable();
    private final AddressSpaces spaces;

    /**
     * By a page's number, cut: where in the TLB one was entered for writing, counted from 1; 0 if
     * never, SEVERAL if in more than one place. Read by others.
     */
    private final short[] writableAt = new short[WRITABLE_HASHES];

    private final byte[] x87Image = new byte[512];
    private boolean fpuInBlock;

    /** By slot: when it was asked last how fast it is renewed. */
    private final long[] slotAsked = new long[ProcessorBlock.SLOT_HOST / 8];

    /** The access looked at last has a page fault. */
    private boolean faulted;

    /** The guest wants SSE exceptions: while that is so, translated code uses no SSE. */
    private boolean exceptionsUnmasked;

    private int context;

    /** DF is set: everything is interpreted. */
    private boolean downwards;

    /** RIP, while translated code is not running. */
    private long rip;

    // Where translated code was left; asked for while nobody can take the code away
    private Site exitSite;
    private Link exitLink;

    /** In translated code, or about to be. */
    private volatile boolean inside;

    /** Slots may hold a page that is no longer to be written; looked at before code is entered. */
    private volatile boolean slotsRevoked;

    private final long[] exits = new long[ExitReason.COUNT];

    /** Instructions that were the interpreter's, by operation. */
    private final long[] interpreted = new long[Op.values().length];

    /** Instructions interpreted because of their memory operand. */
    private long interpretedAccesses;

    /** Instructions that lie on two pages. */
    private long interpretedStraddling;

    /** Instructions while DF is set. */
    private long interpretedDownwards;

    TranslatedRunner(GuestProcessor processor, TranslationCache cache, boolean verify) {
        this.processor = processor;
        this.cache = cache;
        this.memory = processor.memory();
        this.enter = MemorySegment.ofAddress(cache.stubs().enter);
        this.setGsBase = MemorySegment.ofAddress(cache.stubs().setGsBase);
        this.verifying = verify;
        this.lockstep =
                verify
                        ? Optional.of(new Lockstep(processor, state, tables, cache))
                        : Optional.empty();
        this.spaces = new AddressSpaces(state, tables, fetches, memory);
        cache.add(this);
    }

    boolean offers(Instruction i) {
        return processor.offers(i);
    }

    // Running

    @Override
    public void run() {
        setGsBase(state.address());
        takeState();
        rip = processor.rip();
        try {
            while (true) {
                TranslatedBlock block = downwards ? null : find(rip);
                if (block == null) {
                    giveState(false);
                    processor.setRip(rip);
                    processor.interpretNext();
                    if (downwards) {
                        interpretedDownwards++;
                    } else {
                        interpretedStraddling++;
                    }
                    if (processor.demandsAttention()) {
                        return;
                    }
                    takeState();
                    rip = processor.rip();
                } else if (!runFrom(block)) {
                    return;
                }
            }
        } finally {
            takeBackUnits();
            setGsBase(0);
        }
    }

    /**
     * Runs from a block on until the instruction at {@link #rip} has to be looked up.
     *
     * @return false if the interpreter's loop has to look around; the state is its then
     */
    private boolean runFrom(TranslatedBlock block) {
        state.put64(ProcessorBlock.PAGE, rip & PAGE);
        long target = block.entry;
        while (true) {
            if (!fpuInBlock) {
                takeUnits();
            }
            if (verifying) {
                lockstep.get().entering(rip, block);
            }
            int reason = call(target, block);
            if (reason < 0) {
                if (target == block.entry) {
                    lockstep.ifPresent(Lockstep::notEntered);
                } else if (!verifying || agrees(ExitReason.MEMORY)) {
                    resumeBefore(exitSite);
                }
                return true;
            }
            exits[reason]++;
            if (verifying && !ExitReason.comesBack(reason) && !agrees(reason)) {
                return true;
            }
            switch (reason) {
                case ExitReason.FAR_LINK -> {
                    Link link = exitLink;
                    rip = state.get64(ProcessorBlock.LINEAR);
                    if (rip << 16 >> 16 != rip) {
                        return true;
                    }
                    TranslatedBlock next = find(rip);
                    if (next == null) {
                        return true;
                    }
                    tables.enterCode(context, rip, next.page.number, fetches.global(context, rip));
                    cache.connect(link, next);
                    state.put64(ProcessorBlock.PAGE, rip & PAGE);
                    target = next.entry;
                    block = next;
                }
                case ExitReason.LINK -> {
                    Link link = exitLink;
                    rip = state.get64(ProcessorBlock.PAGE) + link.targetOffset;
                    TranslatedBlock next = find(rip);
                    if (next == null) {
                        return true;
                    }
                    if (next.page == link.from.page) {
                        cache.connect(link, next);
                    }
                    state.put64(ProcessorBlock.PAGE, rip & PAGE);
                    target = next.entry;
                    block = next;
                }
                case ExitReason.INDIRECT -> {
                    rip = state.get64(ProcessorBlock.LINEAR);
                    if (rip << 16 >> 16 != rip) {
                        refuseTarget(exitSite);
                    }
                    TranslatedBlock next = findForJump(rip);
                    if (next == null) {
                        return true;
                    }
                    state.put64(ProcessorBlock.PAGE, rip & PAGE);
                    target = next.entry;
                    block = next;
                }
                case ExitReason.EVENT -> {
                    rip = state.get64(ProcessorBlock.LINEAR);
                    if (rip << 16 >> 16 != rip) {
                        refuseTarget(exitSite);
                    }
                    return goesOn();
                }
                case ExitReason.X87 -> {
                    if (!takeX87()) {
                        if (verifying && !agrees(reason)) {
                            return true;
                        }
                        return interpret(exitSite);
                    }
                    target = exitSite.retry();
                    block = exitSite.block();
                }
                case ExitReason.TIMESTAMP -> {
                    // The interpreter cannot read the same time once more.
                    if (verifying || !processor.timestampsReadable()) {
                        return interpret(exitSite);
                    }
                    putTimestamp(exitSite.prepared().instruction().op == Op.RDTSCP);
                    target = exitSite.retry();
                    block = exitSite.block();
                }
                case ExitReason.MEMORY -> {
                    Site site = exitSite;
                    if (admit(state.get64(ProcessorBlock.LINEAR), site)) {
                        if (goesFromPageToPage(site)) {
                            cache.noteManyPages(site.block(), site.offset());
                            if (verifying && !agrees(reason)) {
                                return true;
                            }
                            return interpret(site);
                        }
                        target = site.retry();
                        block = site.block();
                    } else if (verifying && !agrees(reason)) {
                        return true;
                    } else if (faulted && Operands.faultsAsProbed(site.prepared().instruction())) {
                        return raisePageFault(site);
                    } else {
                        interpretedAccesses++;
                        return interpret(site);
                    }
                }
                default -> {
                    return interpret(exitSite);
                }
            }
        }
    }

    private void putTimestamp(boolean withAuxiliary) {
        long ticks = processor.timestamp();
        state.put64(ProcessorBlock.register(0), ticks & 0xffffffffL);
        state.put64(ProcessorBlock.register(2), ticks >>> 32);
        if (withAuxiliary) {
            state.put64(ProcessorBlock.register(1), processor.timestampAuxiliary() & 0xffffffffL);
        }
    }

    /** Hands the guest the page fault that an access found; leaves {@link #rip} at its handler. */
    private boolean raisePageFault(Site site) {
        discount(site);
        rip = state.get64(ProcessorBlock.PAGE) + site.offset();
        giveState(site.flagsSaved());
        processor.setRip(rip);
        processor.raisePageFault();
        if (processor.demandsAttention()) {
            return false;
        }
        takeState();
        rip = processor.rip();
        return true;
    }

    /**
     * Whether the interpreter agrees with what translated code has done, if that is compared; else
     * all is as it was before that, to be done again.
     */
    private boolean agrees(int reason) {
        Lockstep compared = lockstep.orElseThrow();
        boolean linked = reason == ExitReason.LINK || reason == ExitReason.FAR_LINK;
        long at =
                switch (reason) {
                    case ExitReason.LINK ->
                            state.get64(ProcessorBlock.PAGE) + exitLink.targetOffset;
                    case ExitReason.FAR_LINK, ExitReason.INDIRECT, ExitReason.EVENT ->
                            state.get64(ProcessorBlock.LINEAR);
                    default -> state.get64(ProcessorBlock.PAGE) + exitSite.offset();
                };
        if (at << 16 >> 16 != at) {
            compared.leftUncompared();
            return true;
        }
        Lockstep.Verdict verdict =
                compared.left(
                        at, !linked && exitSite.flagsSaved(), linked ? 0 : exitSite.remaining());
        if (verdict == Lockstep.Verdict.AGAIN) {
            state.put32(ProcessorBlock.X87_WANTED, 0);
            fpuInBlock = false;
            takeState();
            rip = processor.rip();
            return false;
        }
        if (verdict == Lockstep.Verdict.EXCUSED) {
            takeBackUnits();
        }
        return true;
    }

    /** Looks whether an event that was told can be taken now. */
    private boolean goesOn() {
        discount(exitSite);
        if (exitSite.flagsSaved()) {
            state.put32(ProcessorBlock.FLAGS, state.get32(ProcessorBlock.SAVED_FLAGS));
        }
        state.put32(ProcessorBlock.QUIET, 1);
        VarHandle.fullFence();
        giveSystemFlags();
        if (processor.demandsAttention()) {
            giveState(false);
            processor.setRip(rip);
            return false;
        }
        state.put32(ProcessorBlock.NOTHING_HELD, processor.eventPosted() ? 0 : 1);
        return true;
    }

    /** Carries out a site's instruction; leaves {@link #rip} where to go on. */
    private boolean interpret(Site site) {
        discount(site);
        rip = state.get64(ProcessorBlock.PAGE) + site.offset();
        giveState(site.flagsSaved());
        processor.setRip(rip);
        if (site.prepared() == null) {
            takeBackUnits();
            interpretedStraddling++;
            if (nextPage(rip) != site.block().secondPage) {
                cache.remove(site.block());
            }
            processor.setRip(rip);
            processor.interpretNext();
        } else {
            if (site.size() == 0) {
                interpreted[site.prepared().instruction().op.ordinal()]++;
            }
            if (Operands.usesUnits(site.prepared().instruction())) {
                takeBackUnits();
            }
            processor.interpret(site.prepared());
        }
        if (processor.demandsAttention()) {
            return false;
        }
        takeState();
        rip = processor.rip();
        return true;
    }

    /** The block is gone in whose middle the code was to go on: it is looked up anew there. */
    private void resumeBefore(Site site) {
        discount(site);
        rip = state.get64(ProcessorBlock.PAGE) + site.offset();
        if (site.flagsSaved()) {
            state.put32(ProcessorBlock.FLAGS, state.get32(ProcessorBlock.SAVED_FLAGS));
        }
    }

    /** Instructions are counted when their block begins. */
    private void discount(Site site) {
        state.put64(
                ProcessorBlock.INSTRUCTIONS,
                state.get64(ProcessorBlock.INSTRUCTIONS) - site.remaining());
    }

    /** A near jump to an address that is not canonical: as if it had not been carried out. */
    private void refuseTarget(Site site) {
        Instruction i = site.prepared().instruction();
        rip = state.get64(ProcessorBlock.PAGE) + site.offset();
        giveState(false);
        state.put64(ProcessorBlock.INSTRUCTIONS, state.get64(ProcessorBlock.INSTRUCTIONS) - 1);
        long[] registers = processor.registers();
        switch (i.op) {
            case CALL -> registers[4] += 8;
            case RET -> registers[4] -= 8 + (i.kind0 == Instruction.IMM ? i.imm & 0xffff : 0);
            default -> {}
        }
        processor.setRip(rip);
        throw processor.generalProtection();
    }

    /** -1 if the block has been dropped meanwhile. */
    private int call(long target, TranslatedBlock block) {
        inside = true;
        VarHandle.fullFence();
        try {
            if (!block.valid) {
                return -1;
            }
            if (slotsRevoked) {
                slotsRevoked = false;
                tables.forgetSlots();
            }
            tables.noteContext(block.context);
            state.put64(ProcessorBlock.LAST_RETURN, cache.stubs().lastReturn[block.context]);
            int reason = (int) Calls.ENTER.invokeExact(enter, target);
            int number = state.get32(ProcessorBlock.SITE);
            if (reason == ExitReason.LINK || reason == ExitReason.FAR_LINK) {
                exitLink = cache.link(number);
                context = exitLink.context;
            } else {
                exitSite = cache.site(number);
                context = exitSite.context();
            }
            givePrivilege();
            return reason;
        } catch (Throwable e) {
            throw new AssertionError(e);
        } finally {
            inside = false;
        }
    }

    /** For another processor that is about to take away the code: waits until this one is out. */
    void awaitOutside() {
        VarHandle.fullFence();
        while (inside) {
            state.put32(ProcessorBlock.QUIET, 0);
            Thread.onSpinWait();
        }
    }

    private void setGsBase(long address) {
        try {
            long result = (long) Calls.SET_GS_BASE.invokeExact(setGsBase, address);
            if (result != 0) {
                throw new IllegalStateException("The host refuses a GS base: " + result);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void attention() {
        state.put32(ProcessorBlock.QUIET, 0);
    }

    // State

    private void takeState() {
        long[] registers = processor.registers();
        for (int n = 0; n < 16; n++) {
            state.put64(ProcessorBlock.register(n), registers[n]);
        }
        int flags = (int) processor.flags();
        state.put32(ProcessorBlock.FLAGS, (flags & 0xff) << 8 | flags >>> 11 & 1);
        downwards = (flags & DF) != 0;
        state.put32(ProcessorBlock.INTERRUPT_FLAG, flags & IF);
        state.put32(ProcessorBlock.SYSTEM_FLAGS, flags & ~(ARITHMETIC | IF | RF));
        state.put64(ProcessorBlock.SEGMENT_BASE, processor.segmentBase(FS));
        state.put64(ProcessorBlock.SEGMENT_BASE + 8, processor.segmentBase(GS));
        state.put32(ProcessorBlock.NOTHING_HELD, processor.eventPosted() ? 0 : 1);
        state.put64(ProcessorBlock.KERNEL_GS_BASE, processor.kernelGsBase());
        boolean calls = processor.systemCallsEnabled();
        boolean smap = processor.smapOn();
        state.put32(ProcessorBlock.SYSRET_ON, calls ? 1 : 0);
        state.put32(ProcessorBlock.SMAP_ON, smap ? 1 : 0);
        boolean plain =
                calls && smap && (processor.systemCallFlagMask() & KERNEL_MASKS) == KERNEL_MASKS;
        state.put64(ProcessorBlock.SYSCALL_TARGET, plain ? processor.systemCallTarget() : 0);
        context =
                processor.privilegeLevel() == 3
                        ? Context.USER
                        : processor.smapSuspended()
                                ? Context.SUPERVISOR_SMAP_OFF
                                : Context.SUPERVISOR;
        if (!unitsUsable()) {
            context += Context.UNITS_OFF;
        } else if (!processor.avxReady()) {
            context += Context.AVX_OFF;
        }
    }

    private boolean unitsUsable() {
        boolean unmasked =
                fpuInBlock
                        ? exceptionsUnmasked
                        : (processor.fpu().mxcsr & ALL_MASKED) != ALL_MASKED;
        return processor.sseReady() && !unmasked;
    }

    private void giveState(boolean flagsSaved) {
        long[] registers = processor.registers();
        for (int n = 0; n < 16; n++) {
            registers[n] = state.get64(ProcessorBlock.register(n));
        }
        processor.setSegmentBase(GS, state.get64(ProcessorBlock.SEGMENT_BASE + 8));
        processor.setKernelGsBase(state.get64(ProcessorBlock.KERNEL_GS_BASE));
        int ax = state.get32(flagsSaved ? ProcessorBlock.SAVED_FLAGS : ProcessorBlock.FLAGS);
        processor.setArithmeticFlags(ax >>> 8 & 0xd5 | (ax & 1) << 11);
        giveSystemFlags();
    }

    private void giveSystemFlags() {
        processor.setSystemFlags(
                state.get32(ProcessorBlock.SYSTEM_FLAGS)
                        | state.get32(ProcessorBlock.INTERRUPT_FLAG));
    }

    /** What translated code did to privilege and flags, before page tables are walked. */
    private void givePrivilege() {
        int change = state.get32(ProcessorBlock.PRIVILEGE);
        if (change != 0) {
            state.put32(ProcessorBlock.PRIVILEGE, 0);
            if (change == ProcessorBlock.ENTERED_KERNEL) {
                processor.enterKernel();
            } else {
                processor.returnToUser();
            }
        }
        giveSystemFlags();
    }

    private void takeUnits() {
        FpuState fpu = processor.fpu();
        for (int n = 0; n < 16; n++) {
            state.put64(ProcessorBlock.vector(n), fpu.xmm[2 * n]);
            state.put64(ProcessorBlock.vector(n) + 8, fpu.xmm[2 * n + 1]);
            state.put64(ProcessorBlock.vector(n) + 16, fpu.ymmHigh[2 * n]);
            state.put64(ProcessorBlock.vector(n) + 24, fpu.ymmHigh[2 * n + 1]);
        }
        exceptionsUnmasked = (fpu.mxcsr & ALL_MASKED) != ALL_MASKED;
        state.put32(ProcessorBlock.MXCSR, fpu.mxcsr | ALL_MASKED);
        fpuInBlock = true;
    }

    /**
     * Lets the host's x87 registers be the guest's from the next entry on.
     *
     * @return false if the guest wants its exceptions, or has one pending
     */
    private boolean takeX87() {
        FpuState fpu = processor.fpu();
        if ((fpu.control & X87_MASKS) != X87_MASKS || (fpu.status & X87_SUMMARY) != 0) {
            return false;
        }
        FxsaveImage.writeX87(fpu, x87Image, true);
        // Pointers to the last instruction are kept for exceptions, of which there are none here.
        Arrays.fill(x87Image, 6, 24, (byte) 0);
        state.putX87(x87Image);
        state.put32(ProcessorBlock.X87_WANTED, 1);
        return true;
    }

    private void takeBackX87() {
        if (state.get32(ProcessorBlock.X87_WANTED) == 0) {
            return;
        }
        FpuState fpu = processor.fpu();
        if (state.x87Initial()) {
            FxsaveImage.initialiseX87(fpu);
        } else {
            state.getX87(x87Image);
            Arrays.fill(x87Image, 6, 24, (byte) 0);
            FxsaveImage.readX87(fpu, x87Image, true);
        }
        state.put32(ProcessorBlock.X87_WANTED, 0);
    }

    private void takeBackUnits() {
        takeBackX87();
        if (!fpuInBlock) {
            return;
        }
        FpuState fpu = processor.fpu();
        for (int n = 0; n < 16; n++) {
            fpu.xmm[2 * n] = state.get64(ProcessorBlock.vector(n));
            fpu.xmm[2 * n + 1] = state.get64(ProcessorBlock.vector(n) + 8);
            fpu.ymmHigh[2 * n] = state.get64(ProcessorBlock.vector(n) + 16);
            fpu.ymmHigh[2 * n + 1] = state.get64(ProcessorBlock.vector(n) + 24);
        }
        if (!exceptionsUnmasked) {
            fpu.mxcsr = state.get32(ProcessorBlock.MXCSR);
        }
        fpuInBlock = false;
    }

    // Code

    /** The block at a linear address, or null if the interpreter has to fetch there. */
    private TranslatedBlock find(long linear) {
        TranslatedPage page = page(linear, linear);
        int offset = (int) linear & 0xfff;
        TranslatedBlock block = page.block(context, offset);
        if (block == null) {
            block = cache.block(page, null, offset, context, linear);
            if (block == null && offset > 4096 - Decoder.MAX_LENGTH) {
                block = cache.block(page, nextPage(linear), offset, context, linear);
            }
        }
        return block;
    }

    /** The page after that of an address, entered into the code TLB. */
    private TranslatedPage nextPage(long linear) {
        long next = (linear & PAGE) + 4096;
        TranslatedPage page = page(next, linear);
        tables.enterCode(context, next, page.number, fetches.global(context, next));
        return page;
    }

    private TranslatedBlock findForJump(long linear) {
        TranslatedBlock block = find(linear);
        if (block != null) {
            enterJump(linear, block);
        }
        return block;
    }

    private void enterJump(long linear, TranslatedBlock block) {
        synchronized (cache) {
            if (block.valid) {
                tables.enterJump(
                        context, linear, block.indirectEntry, fetches.global(context, linear));
            }
        }
    }

    /**
     * @param instruction RIP, should the fetch fault
     */
    private TranslatedPage page(long linear, long instruction) {
        TranslatedPage page = fetches.find(context, linear);
        if (page != null) {
            return page;
        }
        processor.setRip(instruction);
        long gpa = fetch(linear);
        page = cache.page(gpa & PAGE);
        if (memory.trackCode(gpa)) {
            // A store may be under way that asked before: its bytes must be there when they are
            // translated.
            processor.awaitStores();
        }
        boolean global = processor.walkedGlobal();
        fetches.enter(context, linear, page, global);
        tables.noteLarge(linear, processor.walkedShift());
        tables.enterCode(context, linear, page.number, global);
        return page;
    }

    private long fetch(long linear) {
        try {
            return processor.translateFetch(linear);
        } catch (RuntimeException fault) {
            giveState(false);
            throw fault;
        }
    }

    /** A block is gone; called by any thread with the cache's lock held. */
    void forget(TranslatedBlock block) {
        int index = ProcessorBlock.jumpIndex(block.offset);
        if (state.jumpHost(block.context, index) == block.indirectEntry) {
            state.clearJump(block.context, index);
        }
    }

    // Data

    private static int hash(long gpa) {
        return (int) (gpa >>> 12) & WRITABLE_HASHES - 1;
    }

    /** Whether a place's slot has been renewed often in a short time. */
    private boolean goesFromPageToPage(Site site) {
        if (site.slot() < 0 || !state.patienceOver(context, site.slot())) {
            return false;
        }
        int n = site.slot() >> 3;
        long now = System.nanoTime();
        boolean often = now - slotAsked[n] < OFTEN_NANOS;
        slotAsked[n] = now;
        return often;
    }

    /** Lets an access or a group of them pass; false if the access is the interpreter's. */
    private boolean admit(long linear, Site site) {
        faulted = false;
        AccessGroup group = site.group();
        if (group == null) {
            return translate(linear, site.size(), site.alignment(), site.write());
        }
        if (!translate(linear + group.delta, group.size, 1, group.write)) {
            return false;
        }
        int index = ProcessorBlock.tlbIndex(linear);
        boolean whole = (linear & ~PAGE) + site.size() <= 4096;
        if (whole && (!site.write() || state.tlbWritable(context, index))) {
            return true;
        }
        if (++group.failures > AccessGroup.PATIENCE) {
            cache.ungroup(site.block(), site.offset());
        }
        return false;
    }

    /** Enters a page into the TLB; false if the access is the interpreter's. */
    private boolean translate(long linear, int size, int alignment, boolean write) {
        if ((linear & ~PAGE) + size > 4096 || (linear & alignment - 1) != 0) {
            return false;
        }
        long gpa = processor.translate(linear, write);
        if (gpa == -1) {
            faulted = processor.pageFaultFound();
            return false;
        }
        long host = memory.hostAddress(gpa & PAGE);
        if (host == 0) {
            return false;
        }
        boolean writable = processor.walkedWritable() && !memory.isTracked(gpa);
        if (verifying) {
            writable &= write;
            if (writable) {
                lockstep.get().writing(context, linear, gpa & PAGE, host);
            }
        }
        if (writable) {
            noteWritable(hash(gpa), (short) (ProcessorBlock.tlbIndex(linear) + 1));
        }
        tables.enterData(
                context,
                linear,
                gpa & PAGE,
                host,
                writable,
                processor.walkedGlobal(),
                processor.walkedShift());
        if (writable) {
            // Tracking may have begun since the question; who begins it revokes afterwards.
            VarHandle.fullFence();
            if (memory.isTracked(gpa)) {
                state.clearTlbWrite(context, ProcessorBlock.tlbIndex(linear));
                writable = false;
            }
        }
        return writable || !write;
    }

    private void noteWritable(int hash, short place) {
        short known = writableAt[hash];
        if (known != place) {
            writableAt[hash] = known == 0 ? place : SEVERAL;
        }
    }

    void revokeWrites(long pageGpa) {
        int place = pageGpa == -1 ? SEVERAL : writableAt[hash(pageGpa)];
        if (place == 0) {
            return;
        }
        int from = place == SEVERAL ? 0 : place - 1;
        int to = place == SEVERAL ? ProcessorBlock.TLB_ENTRIES : place;
        slotsRevoked = true;
        long host = pageGpa == -1 ? -1 : memory.hostAddress(pageGpa);
        for (int c = 0; c < Context.COUNT; c++) {
            for (int n = from; n < to; n++) {
                if (pageGpa == -1 || state.tlbHost(c, n) == host) {
                    state.clearTlbWrite(c, n);
                }
            }
        }
    }

    /** Numbers of pages begin anew; called with nobody in translated code. */
    void forgetPages() {
        for (int c = 0; c < Context.COUNT; c++) {
            for (int n = 0; n < ProcessorBlock.CODE_ENTRIES; n++) {
                state.clearCode(c, n);
            }
        }
    }

    // Flushing

    @Override
    public void changeAddressSpace(int from, int to, boolean keep) {
        // Comparing needs to see every page before it is written.
        spaces.change(from, to, keep && !verifying);
    }

    @Override
    public void flushAll() {
        spaces.forget();
        tables.flush(false);
        fetches.flush(false);
    }

    @Override
    public void flushNonGlobal() {
        spaces.forget();
        tables.flush(true);
        fetches.flush(true);
    }

    @Override
    public void flushPage(long linear) {
        fetches.flush(linear, tables.flushPage(linear));
    }

    // Figures

    @Override
    public long instructions() {
        return state.get64(ProcessorBlock.INSTRUCTIONS);
    }

    @Override
    public void count(Map<String, Long> counters) {
        counters.merge("translator.exits.memory", exits[ExitReason.MEMORY], Long::sum);
        counters.merge("translator.exits.interpret", exits[ExitReason.INTERPRET], Long::sum);
        counters.merge("translator.exits.link", exits[ExitReason.LINK], Long::sum);
        counters.merge("translator.exits.far-link", exits[ExitReason.FAR_LINK], Long::sum);
        counters.merge("translator.exits.indirect", exits[ExitReason.INDIRECT], Long::sum);
        counters.merge("translator.exits.x87", exits[ExitReason.X87], Long::sum);
        counters.merge("translator.exits.timestamp", exits[ExitReason.TIMESTAMP], Long::sum);
        counters.merge("translator.exits.event", exits[ExitReason.EVENT], Long::sum);
        counters.merge("interpreted.access", interpretedAccesses, Long::sum);
        counters.merge("interpreted.straddling", interpretedStraddling, Long::sum);
        counters.merge("interpreted.downwards", interpretedDownwards, Long::sum);
        for (Op op : Op.values()) {
            if (interpreted[op.ordinal()] != 0) {
                counters.merge(
                        "interpreted." + op.name().toLowerCase(Locale.ROOT),
                        interpreted[op.ordinal()],
                        Long::sum);
            }
        }
        lockstep.ifPresent(l -> l.count(counters));
        cache.count(counters);
    }

    /** Constants, so that HotSpot compiles the calls into their callers. */
    private static final class Calls {
        static final MethodHandle ENTER =
                Linker.nativeLinker()
                        .downcallHandle(
                                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        static final MethodHandle SET_GS_BASE =
                Linker.nativeLinker()
                        .downcallHandle(
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    }
}
