package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.ArrayList;
import java.util.List;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Turns one run of guest instructions into host code. Used under the lock of its {@link
 * TranslationCache}.
 */
final class BlockTranslator {
    private static final int PAGE_SIZE = 4096;
    private static final int LOOP_ALIGNMENT = 32;

    private final TranslationCache cache;
    private final boolean countInstructions;
    private final boolean inStretches;
    private final Stubs stubs;
    final Assembler asm = new Assembler();
    private final MemoryProbe probe = new MemoryProbe(this);
    private final CopiedInstruction copied = new CopiedInstruction(this);
    private final FlagTransfers flagTransfers = new FlagTransfers(this);
    private final StringInstruction strings = new StringInstruction(this);
    private final PrivilegeTransfers privileges = new PrivilegeTransfers(this);
    private final BitString bitStrings = new BitString(this);
    private final StackInstruction stack = new StackInstruction(this);
    private final FlagState flags = new FlagState(this);
    private final AccessGroups groups = new AccessGroups();
    private final KnownPages knownPages = new KnownPages();
    private final Addresses addresses = new Addresses(this);
    private final BlockPlan plan;
    private final Sites sites;
    private final Jumps jumps;

    private final List<ColdPath> coldPaths = new ArrayList<>();

    // The block and the instruction being translated
    byte[] bytes;
    private TranslatedBlock block;
    private int current;
    private Instruction instruction;

    /** Offset in the page of the current instruction. */
    private int at;

    private long retry;

    /** How many instructions of the block have been counted before the current one is reached. */
    private int counted;

    /** The instruction before enabled interrupts: they come after this one. */
    private boolean interruptsAfterThis;

    /** Whether the block has made sure of the x87 registers. */
    private boolean x87Loaded;

    /** Code that is seldom run, put behind the rest of the block. */
    private record ColdPath(List<Integer> jumpsHere, Runnable code) {}

    /** Where the second copy of a loop begins, in the buffer; 0 while there is none. */
    private int loopTop;

    /** The jump from the first copy into the second, by its displacement; 0 if there is none. */
    private int loopEntry;

    BlockTranslator(TranslationCache cache, Stubs stubs, TranslatorOptions options) {
        this.countInstructions = options.countInstructions();
        this.inStretches = options.verify();
        this.cache = cache;
        this.stubs = stubs;
        this.plan = new BlockPlan(cache);
        this.sites = new Sites(this, cache);
        this.jumps = new Jumps(this, cache, stubs);
    }

    /**
     * Translates what begins at an offset of a page into the assembler's buffer.
     *
     * @param pageBytes those of the page, of which {@link BlockPlan#MOST_BYTES} from the offset on
     *     are set, and the first of the one that follows, if that is given
     * @param second the page on which the first instruction ends, or null
     * @return null if it ends on the next page but that is not given
     */
    TranslatedBlock translate(
            TranslatedPage page,
            TranslatedPage second,
            byte[] pageBytes,
            int offset,
            int context,
            long address) {
        bytes = pageBytes;
        block = new TranslatedBlock(page, second, context, offset);
        if (!plan.decode(block, pageBytes)) {
            return null;
        }
        flags.begin(plan);
        forgetAddresses();
        copied.begin();
        coldPaths.clear();
        jumps.begin();
        loopTop = 0;
        loopEntry = 0;
        interruptsAfterThis = false;
        x87Loaded = false;
        asm.begin(address);
        block.indirectEntry = asm.here();
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, -offset);
        asm.storeState(ProcessorBlock.PAGE, Gpr.ADDRESS);
        block.entry = asm.here();
        at = offset;
        current = 0;
        retry = block.entry;
        if (second != null) {
            guardSecondPage(second);
        }
        if (inStretches) {
            leaveWhenSpent();
        }
        emitInstructions(offset);
        if (loopEntry != 0) {
            emitLoop(offset);
        }
        finish();
        block.length = at - offset;
        return block;
    }

    private void emitInstructions(int offset) {
        at = offset;
        counted = 0;
        for (current = 0; current < plan.instructions().size(); current++) {
            instruction = plan.instructions().get(current);
            if (countInstructions && current == counted) {
                count();
            }
            retry = asm.here();
            boolean afterEnabling = interruptsAfterThis;
            interruptsAfterThis = false;
            flags.approach(instruction, plan.calm(instruction));
            emit(instruction);
            flags.pass(instruction, at);
            groups.pass(instruction);
            knownPages.pass(instruction);
            at += instruction.length;
            if (afterEnabling && !plan.endsBlock(instruction) && flags.inHost() && at < PAGE_SIZE) {
                jumps.poll(at, Math.max(remaining() - 1, 0));
            }
        }
        if (!plan.endsBlock(instruction)) {
            flags.makeAgain();
            jumps.jumpTo(at, block.context);
        }
    }

    /**
     * The block again, for the case that it is a loop: here it is known what made the flags at its
     * top, so that they can be spoilt.
     */
    private void emitLoop(int offset) {
        while ((asm.here() & LOOP_ALIGNMENT - 1) != 0) {
            asm.emit(0x90);
        }
        asm.bind32(loopEntry);
        loopTop = asm.size();
        block.loops = true;
        forgetAddresses();
        flags.enterLoop();
        emitInstructions(offset);
    }

    /**
     * Lets a jump back to the block's start go to a second copy of it, if one repays.
     *
     * @return whether the jump has been emitted
     */
    boolean closeLoop() {
        if (loopTop != 0) {
            asm.jmp(asm.here() - asm.size() + loopTop);
            return true;
        }
        if (!busy()
                || !flags.makerKnown()
                || block.secondPage != null
                || !plan.flagsSpoiltAtTop()) {
            return false;
        }
        loopEntry = asm.jmpAhead();
        flags.beginAgain();
        return true;
    }

    /** Code that is compared is left when {@link ProcessorBlock#BLOCKS_LEFT} have been run. */
    private void leaveWhenSpent() {
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.BLOCKS_LEFT);
        int spent = asm.jrcxzFarAhead();
        int place = at;
        int site = sites.behind();
        cold(List.of(spent), () -> jumps.leaveForEvent(place, site));
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, -1);
        asm.storeState32(ProcessorBlock.BLOCKS_LEFT, Gpr.SCRATCH);
    }

    /** Counts the instructions up to the next one that may leave the block. */
    private void count() {
        counted = current + 1;
        while (counted < plan.instructions().size()
                && plan.instructions().get(counted - 1).op != Op.JCC) {
            counted++;
        }
        asm.loadState(Gpr.SCRATCH, ProcessorBlock.INSTRUCTIONS);
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, counted - current);
        asm.storeState(ProcessorBlock.INSTRUCTIONS, Gpr.SCRATCH);
    }

    /** Lets an instruction on two pages be executed only if the second still is what it was. */
    private void guardSecondPage(TranslatedPage second) {
        asm.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, PAGE_SIZE);
        asm.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.CODE_INDEX_MASK);
        asm.memState(Gpr.SCRATCH, 3, ProcessorBlock.codes(block.context));
        asm.loadMem(Gpr.SCRATCH);
        asm.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, second.number + 1);
        int differs = asm.loopFarAhead();
        int site = sites.straddling();
        cold(List.of(differs), () -> exit(site, ExitReason.INTERPRET));
    }

    private void emit(Instruction i) {
        if (!plan.translated(i)) {
            exitToInterpreter();
            return;
        }
        switch (i.op) {
            case NOP, ENDBR, PREFETCH, CLD, SERIALIZE -> {}
            case PAUSE -> pause();
            case CLFLUSH, CLFLUSHOPT, CLWB -> touch(i);
            case LEA -> addresses.load(i);
            case PUSH -> stack.push(i);
            case POP -> stack.pop(i);
            case LEAVE -> stack.leave();
            case JCC -> {
                if (current < plan.instructions().size() - 1) {
                    jumps.leaveBlock(i);
                } else {
                    jumps.branch(i);
                }
            }
            case JMP -> jumps.jump(i);
            case CALL -> jumps.call(i);
            case RET -> jumps.ret(i);
            case DIV, IDIV -> new Division(this).emit(i);
            case MOVS, STOS, LODS -> strings.emit(i);
            case RDTSC, RDTSCP -> readTimestamp();
            case STI -> enableInterrupts();
            case BT, BTS, BTR, BTC -> {
                if (BitString.translated(i)) {
                    bitStrings.emit(i);
                } else {
                    copied.emit(i, at);
                }
            }
            case CMPXCHG8B, CMPXCHG16B -> new CompareExchangePair(this).emit(i);
            case CLI, PUSHF, POPF -> flagTransfers.emit(i);
            case SYSCALL, SYSRET, SWAPGS, STAC, CLAC -> privileges.emit(i);
            default -> {
                if (Operands.usesX87(i) && !x87Loaded) {
                    requireX87();
                }
                copied.emit(i, at);
            }
        }
    }

    /**
     * Leaves now and then, for who spins waits for another processor, which may need the host's.
     */
    private void pause() {
        forgetAddresses();
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.PAUSES_LEFT);
        int spent = asm.jrcxzFarAhead();
        int site = sites.before();
        cold(List.of(spent), () -> exit(site, ExitReason.SPINNING));
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, -1);
        asm.storeState32(ProcessorBlock.PAUSES_LEFT, Gpr.SCRATCH);
        asm.emit(0xf3);
        asm.emit(0x90);
    }

    /** Leaves if the host's x87 registers are not the guest's, to come back when they are. */
    private void requireX87() {
        x87Loaded = true;
        forgetAddresses();
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.X87_MISSING);
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, 1);
        int missing = asm.loopFarAhead();
        int site = sites.before();
        cold(List.of(missing), () -> exit(site, ExitReason.X87));
    }

    // What the parts of the translation share

    MemoryProbe probe() {
        return probe;
    }

    /** Whether the guest's processor has what an instruction is part of. */
    boolean offers(Instruction i) {
        return cache.offers(i);
    }

    FlagTransfers flagTransfers() {
        return flagTransfers;
    }

    FlagState flags() {
        return flags;
    }

    AccessGroups groups() {
        return groups;
    }

    KnownPages knownPages() {
        return knownPages;
    }

    /** What is known of addresses is of no use any more. */
    private void forgetAddresses() {
        groups.end();
        knownPages.forget();
    }

    Sites sites() {
        return sites;
    }

    Addresses addresses() {
        return addresses;
    }

    Jumps jumps() {
        return jumps;
    }

    CopiedInstruction copied() {
        return copied;
    }

    BlockPlan plan() {
        return plan;
    }

    TranslatedBlock block() {
        return block;
    }

    Instruction instruction() {
        return instruction;
    }

    /** Offset in the page of the current instruction. */
    int at() {
        return at;
    }

    /** Number of the current instruction in the block. */
    int current() {
        return current;
    }

    long retry() {
        return retry;
    }

    int context() {
        return block.context;
    }

    /** Stub that makes an address the host's. */
    long accessStub(boolean write, int span, int alignment) {
        return stubs.access(block.context, write, span, alignment);
    }

    /** Stub that renews a slot. */
    long renewSlot(boolean write, int alignment) {
        return stubs.renewSlot(block.context, write, alignment);
    }

    /** Whether the current instruction has been found to access many pages in turn. */
    boolean accessesManyPages() {
        return block.page.accessesManyPages(at);
    }

    /** Whether the accesses of the current instruction are to be counted. */
    boolean onTrial() {
        return block.page.standing(at) == RestlessPlaces.Standing.ON_TRIAL;
    }

    /** Whether the block is one of those where the time goes. */
    boolean busy() {
        return cache.isBusy(block);
    }

    /** See {@link AccessGroups#plan}; groups that have failed before are of one access. */
    int planGroup(int key, int disp, boolean write, int alignment, boolean anySpan) {
        int size = block.page.ungrouped(at) ? current + 1 : plan.instructions().size();
        List<Instruction> known = plan.instructions().subList(0, size);
        return groups.plan(known, current, key, disp, write, alignment, anySpan, busy());
    }

    /**
     * A missed access is to be tried again from here: after flags were put aside, and not before
     * another access of the instruction, whose page may be one for the same entry of the TLB.
     */
    void retryHere() {
        retry = asm.here();
    }

    /** Adds code that is seldom run, reached by jumps whose displacements stand at the places. */
    void cold(List<Integer> jumpsHere, Runnable code) {
        coldPaths.add(new ColdPath(jumpsHere, code));
    }

    /** Leaves for the interpreter with the current instruction. */
    private void exitToInterpreter() {
        exit(sites.before(), ExitReason.INTERPRET);
    }

    /** Jumps here to have the current instruction interpreted. */
    void interpretCold(List<Integer> jumpsHere) {
        int site = sites.before();
        cold(jumpsHere, () -> exit(site, ExitReason.INTERPRET));
    }

    /** Instructions that are counted but not carried out when the block is left here. */
    int remaining() {
        return countInstructions ? counted - current : 0;
    }

    /**
     * Leaves at a site, or a link; where the reason has an address, it is in {@link Gpr#ADDRESS}.
     */
    void exit(int site, int reason) {
        asm.movImm32(Gpr.SCRATCH, site);
        asm.jmp(stubs.exit[reason]);
    }

    /** Leaves for an access that has not renewed its slot. */
    void exitRenewing(int site) {
        asm.movImm32(Gpr.SCRATCH, site);
        asm.jmp(stubs.exitRenewing);
    }

    private void finish() {
        for (int n = 0; n < coldPaths.size(); n++) {
            ColdPath path = coldPaths.get(n);
            path.jumpsHere.forEach(asm::bind32);
            path.code.run();
        }
        jumps.finish();
    }

    // Registers

    /** The host register that holds a guest register now; a spilled one is loaded first. */
    int read(int guest, int scratch) {
        int host = Gpr.host(guest);
        if (host != Gpr.SPILLED) {
            return host;
        }
        asm.loadState(scratch, ProcessorBlock.register(guest));
        return scratch;
    }

    int next() {
        return at + instruction.length;
    }

    /** The host keeps its caches coherent; what is left of flushing a line is its fault. */
    private void touch(Instruction i) {
        int after = next();
        probe.emit(() -> addresses.linear(i, after), 1, false, 1);
    }

    /** Java knows the time; the block goes on afterwards. */
    private void readTimestamp() {
        forgetAddresses();
        asm.movImm32(Gpr.SCRATCH, 0);
        int number = asm.size() - 4;
        asm.jmp(stubs.exit[ExitReason.TIMESTAMP]);
        retry = asm.here();
        asm.put32(number, sites.before());
    }

    /** Events that were held off come after the next instruction. */
    private void enableInterrupts() {
        asm.storeStateImm32(ProcessorBlock.INTERRUPT_FLAG, 0x200);
        jumps.recallHeldEvents();
        interruptsAfterThis = true;
    }
}
