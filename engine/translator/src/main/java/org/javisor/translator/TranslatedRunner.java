package org.javisor.translator;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.Optional;
import org.javisor.interpreter.CodeRunner;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Enters translated code for one processor and answers its exits. */
final class TranslatedRunner implements CodeRunner {
    private static final long PAGE = -4096;
    private static final VarHandle INSIDE = insideHandle();

    private final GuestProcessor processor;
    private final TranslationCache cache;
    private final ProcessorBlock state = new ProcessorBlock();
    private final AddressTables tables = new AddressTables(state);
    private final MemorySegment enter;
    private final MemorySegment setGsBase;

    /** What compares with the interpreter, if anything does. */
    private final Optional<Lockstep> lockstep;

    private final boolean verifying;

    private final FetchTable fetches = new FetchTable();
    private final AddressSpaces spaces;
    private final GuestState guest;
    private final CodeLookup code;
    private final DataAccess data;
    private final RestlessPlaces restless;
    private final ExitCounts counts = new ExitCounts();
    private int context;

    /** RIP, while translated code is not running. */
    private long rip;

    // Where translated code was left; asked for while nobody can take the code away
    private Site exitSite;
    private Link exitLink;

    /** How often slots had been voided when translated code was entered last. */
    private long slotsForgotten;

    /** In translated code, or about to be; set with a fence after it. */
    private volatile boolean inside;

    TranslatedRunner(GuestProcessor processor, TranslationCache cache, boolean verify) {
        this.processor = processor;
        this.cache = cache;
        this.enter = MemorySegment.ofAddress(cache.stubs().enter);
        this.setGsBase = MemorySegment.ofAddress(cache.stubs().setGsBase);
        this.verifying = verify;
        this.lockstep =
                verify
                        ? Optional.of(new Lockstep(processor, state, tables, cache))
                        : Optional.empty();
        WritablePlaces places = new WritablePlaces(processor.memory());
        this.guest = new GuestState(processor, state);
        this.code = new CodeLookup(processor, cache, guest, state, tables, fetches);
        this.spaces =
                new AddressSpaces(state, tables, fetches, code, processor.memory(), places, verify);
        this.data = new DataAccess(processor, cache, state, tables, places, lockstep);
        this.restless = new RestlessPlaces(state);
        cache.add(this);
    }

    boolean offers(Instruction i) {
        return processor.offers(i);
    }

    // Running

    @Override
    public void run() {
        setGsBase(state.address());
        context = guest.take();
        rip = processor.rip();
        try {
            while (true) {
                TranslatedBlock block = guest.downwards() ? null : code.find(context, rip);
                if (block == null) {
                    guest.give(false);
                    processor.setRip(rip);
                    processor.interpretNext();
                    if (guest.downwards()) {
                        counts.interpretedDownwards();
                    } else {
                        counts.interpretedStraddling();
                    }
                    if (processor.demandsAttention()) {
                        return;
                    }
                    context = guest.take();
                    rip = processor.rip();
                } else if (!runFrom(block)) {
                    return;
                }
            }
        } finally {
            guest.takeBackUnits();
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
        // Where the block is entered in its middle; else rip says where it is entered
        Site retried = null;
        while (true) {
            if (!guest.unitsInBlock()) {
                guest.takeUnits();
            }
            if (verifying) {
                lockstep.get().entering(rip, block);
            }
            int reason = call(target, block, retried != null && retried.needsPages());
            if (reason < 0) {
                if (retried == null) {
                    lockstep.ifPresent(Lockstep::notEntered);
                } else if (!verifying || agrees(ExitReason.MEMORY)) {
                    resumeBefore(retried);
                }
                return true;
            }
            retried = null;
            counts.exit(reason);
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
                    TranslatedBlock next = code.find(context, rip);
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
                    TranslatedBlock next = code.find(context, rip);
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
                    TranslatedBlock next = code.findForJump(context, rip);
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
                    if (!guest.takeX87()) {
                        if (verifying && !agrees(reason)) {
                            return true;
                        }
                        return interpret(exitSite);
                    }
                    retried = exitSite;
                }
                case ExitReason.SPINNING -> {
                    Thread.yield();
                    state.put32(ProcessorBlock.PAUSES_LEFT, ProcessorBlock.PAUSES_IN_A_ROW);
                    retried = exitSite;
                }
                case ExitReason.TIMESTAMP -> {
                    if (!processor.timestampsReadable()) {
                        if (verifying && !agrees(reason)) {
                            return true;
                        }
                        return interpret(exitSite);
                    }
                    putTimestamp(exitSite.prepared().instruction().op == Op.RDTSCP);
                    retried = exitSite;
                }
                case ExitReason.MEMORY -> {
                    Site site = exitSite;
                    long linear = state.get64(ProcessorBlock.LINEAR);
                    boolean gone = state.takePicked() && cache.noteAccess(site.block());
                    if (data.admit(context, linear, site)) {
                        if (gone || judged(site)) {
                            if (verifying && !agrees(reason)) {
                                return true;
                            }
                            return interpret(site);
                        }
                        retried = site;
                    } else if (verifying && !agrees(reason)) {
                        return true;
                    } else if (data.faulted()
                            && Operands.faultsAsProbed(site.prepared().instruction())) {
                        return raisePageFault(site);
                    } else {
                        counts.interpretedAccess();
                        return interpret(site);
                    }
                }
                default -> {
                    return interpret(exitSite);
                }
            }
            if (retried != null) {
                target = retried.retry();
                block = retried.block();
            }
        }
    }

    /** Whether the block that has left for an access was taken away, to be translated anew. */
    private boolean judged(Site site) {
        TranslatedBlock block = site.block();
        int offset = site.offset();
        RestlessPlaces.Standing standing = block.page.standing(offset);
        int acquittals = block.page.acquittals(offset);
        switch (restless.judge(context, site.slot(), standing, acquittals)) {
            case NOTHING -> {
                return false;
            }
            case TRY -> cache.beginTrial(block, offset);
            case KEEP_SLOT -> cache.acquit(block, offset);
            case LOOK_UP -> cache.noteManyPages(block, offset);
        }
        return true;
    }

    private void putTimestamp(boolean withAuxiliary) {
        long ticks = processor.timestamp();
        lockstep.ifPresent(l -> l.timestamp(ticks));
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
        guest.give(site.flagsSaved());
        processor.setRip(rip);
        processor.raisePageFault();
        if (processor.demandsAttention()) {
            return false;
        }
        context = guest.take();
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
            guest.unitsLeftBlock();
            context = guest.take();
            rip = processor.rip();
            return false;
        }
        if (verdict == Lockstep.Verdict.EXCUSED) {
            guest.takeBackUnits();
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
        guest.giveSystemFlags();
        if (processor.demandsAttention()) {
            guest.give(false);
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
        guest.give(site.flagsSaved());
        processor.setRip(rip);
        if (site.prepared() == null) {
            guest.takeBackUnits();
            counts.interpretedStraddling();
            if (code.nextPage(context, rip) != site.block().secondPage) {
                cache.remove(site.block());
            }
            processor.setRip(rip);
            processor.interpretNext();
        } else {
            if (site.size() == 0) {
                counts.interpreted(site.prepared().instruction().op);
            }
            if (Operands.usesUnits(site.prepared().instruction())) {
                guest.takeBackUnits();
            }
            processor.interpret(site.prepared());
        }
        if (processor.demandsAttention()) {
            return false;
        }
        context = guest.take();
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
        guest.give(false);
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

    /**
     * -1 if the block has been dropped meanwhile, or goes on in its middle but knows pages that may
     * have been taken away.
     */
    private int call(long target, TranslatedBlock block, boolean needsPages) {
        INSIDE.setOpaque(this, true);
        VarHandle.fullFence();
        try {
            if (!block.valid) {
                return -1;
            }
            data.applyRevocation();
            if (needsPages && tables.slotsForgotten() != slotsForgotten) {
                return -1;
            }
            slotsForgotten = tables.slotsForgotten();
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
            guest.givePrivilege();
            return reason;
        } catch (Throwable e) {
            throw new AssertionError(e);
        } finally {
            INSIDE.setRelease(this, false);
        }
    }

    private static VarHandle insideHandle() {
        try {
            return MethodHandles.lookup()
                    .findVarHandle(TranslatedRunner.class, "inside", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("There is no such field", e);
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

    /** A block is gone; called by any thread with the cache's lock held. */
    void forget(TranslatedBlock block) {
        code.forget(block);
    }

    void revokeWrites(long pageGpa) {
        data.revokeWrites(pageGpa);
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
        spaces.change(from, to, keep);
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
        counts.count(counters);
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
