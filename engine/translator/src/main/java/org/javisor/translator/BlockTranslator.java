package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.ArrayList;
import java.util.List;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Turns one run of guest instructions into host code. Used under the lock of its {@link
 * TranslationCache}.
 */
final class BlockTranslator {
    private static final int LONGEST = 48;
    private static final int PAGE_SIZE = 4096;

    private final TranslationCache cache;
    private final boolean countInstructions;
    private final Stubs stubs;
    private final Decoder decoder = new Decoder();
    final Assembler asm = new Assembler();
    private final MemoryProbe probe = new MemoryProbe(this);
    private final CopiedInstruction copied = new CopiedInstruction(this);
    private final FlagTransfers flagTransfers = new FlagTransfers(this);
    private final StringInstruction strings = new StringInstruction(this);
    private final PrivilegeTransfers privileges = new PrivilegeTransfers(this);
    private final BitString bitStrings = new BitString(this);

    private final List<Instruction> instructions = new ArrayList<>();
    private final List<ColdPath> coldPaths = new ArrayList<>();
    private final List<Jump> jumps = new ArrayList<>();
    private boolean[] flagsDead = new boolean[LONGEST + 1];

    // The block and the instruction being translated
    byte[] bytes;
    private TranslatedBlock block;
    private int current;
    private Instruction instruction;

    /** Offset in the page of the current instruction. */
    private int at;

    private long retry;

    /** The guest's flags are those put aside, the host's are spoilt. */
    private boolean flagsSaved;

    /** The instruction before enabled interrupts: they come after this one. */
    private boolean interruptsAfterThis;

    /** Whether the block has made sure of the x87 registers. */
    private boolean x87Loaded;

    /** Code that is seldom run, put behind the rest of the block. */
    private record ColdPath(List<Integer> jumpsHere, Runnable code) {}

    /**
     * A jump to another block, emitted but not yet registered.
     *
     * @param guardAt where the constant of a far jump's guard stands, 0 for a jump within the page
     * @param differsAt displacement of the guard's way out
     */
    private record Jump(
            int displacementAt, int context, int targetOffset, int guardAt, int differsAt) {
        Jump(int displacementAt, int context, int targetOffset) {
            this(displacementAt, context, targetOffset, 0, 0);
        }
    }

    BlockTranslator(TranslationCache cache, Stubs stubs, boolean countInstructions) {
        this.countInstructions = countInstructions;
        this.cache = cache;
        this.stubs = stubs;
    }

    /**
     * Translates what begins at an offset of a page into the assembler's buffer.
     *
     * @param pageBytes those of the page and the first of the one that follows, if that is given
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
        decode(offset, second != null);
        if (instructions.isEmpty()) {
            return null;
        }
        planFlags();
        coldPaths.clear();
        jumps.clear();
        flagsSaved = false;
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
        if (countInstructions) {
            count();
        }
        for (current = 0; current < instructions.size(); current++) {
            instruction = instructions.get(current);
            retry = asm.here();
            boolean afterEnabling = interruptsAfterThis;
            interruptsAfterThis = false;
            emit(instruction);
            if (FlagEffects.replaces(instruction)) {
                flagsSaved = false;
            }
            at += instruction.length;
            if (afterEnabling && !endsBlock(instruction) && !flagsSaved && at < PAGE_SIZE) {
                poll(at, Math.max(remaining() - 1, 0));
            }
        }
        if (!endsBlock(instruction)) {
            jumpTo(at, false);
        }
        finish();
        block.length = at - offset;
        return block;
    }

    private void count() {
        asm.loadState(Gpr.SCRATCH, ProcessorBlock.INSTRUCTIONS);
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, instructions.size());
        asm.storeState(ProcessorBlock.INSTRUCTIONS, Gpr.SCRATCH);
    }

    /** Lets an instruction on two pages be executed only if the second still is what it was. */
    private void guardSecondPage(TranslatedPage second) {
        asm.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, PAGE_SIZE);
        asm.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.CODE_INDEX_MASK);
        asm.memState(Gpr.SCRATCH, 3, ProcessorBlock.codes(block.context));
        asm.loadMem(Gpr.SCRATCH);
        asm.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, second.number);
        int same = asm.jrcxzAhead();
        int site =
                cache.addSite(
                        new Site(block, null, at, false, 0, 1, retry, flagsSaved, context(), 0));
        exit(site, ExitReason.INTERPRET);
        asm.bind8(same);
    }

    private void decode(int offset, boolean straddling) {
        instructions.clear();
        if (straddling) {
            instructions.add(decoder.decode(bytes, offset, Decoder.MAX_LENGTH, CodeSize.BITS64));
            return;
        }
        int position = offset;
        while (position < PAGE_SIZE && instructions.size() < LONGEST) {
            Instruction i = decoder.decode(bytes, position, PAGE_SIZE - position, CodeSize.BITS64);
            if (i == null) {
                break;
            }
            instructions.add(i);
            position += i.length;
            if (endsBlock(i)) {
                break;
            }
        }
        if (flagsDead.length <= instructions.size()) {
            flagsDead = new boolean[instructions.size() + 1];
        }
    }

    /** Whether nothing of the block follows: it goes elsewhere or to the interpreter. */
    private boolean endsBlock(Instruction i) {
        return switch (i.op) {
            case JMP, CALL, RET, JCC -> true;
            case SYSCALL, SYSRET -> true;
            case STAC, CLAC -> !translated(i) || privileges.changesContext(i);
            default -> !translated(i);
        };
    }

    private boolean translated(Instruction i) {
        boolean bitScan = i.op == Op.TZCNT || i.op == Op.LZCNT;
        if (!bitScan && !cache.offers(i) || !cache.hostExecutes(i)) {
            return false;
        }
        return switch (i.op) {
            case JMP, CALL, RET, JCC -> near(i);
            case NOP, PAUSE, ENDBR, PREFETCH, CLD, SERIALIZE -> !i.lock();
            case LEA -> i.operandSize >= 4;
            case PUSH -> i.operandSize == 8 && i.kind0 != Instruction.SEG;
            case POP -> i.operandSize == 8 && i.kind0 == Instruction.GPR && i.reg0 != 4;
            case LEAVE -> i.operandSize == 8;
            case DIV, IDIV -> i.operandSize >= 4 && i.kind0 != Instruction.GPR_HIGH;
            case CMPXCHG8B, CMPXCHG16B -> true;
            case MOVS, STOS, LODS -> StringInstruction.translated(i);
            case BT, BTS, BTR, BTC ->
                    BitString.translated(i) || Translatability.copied(i) && copied.possible(i);
            case STI -> !Context.user(block.context);
            case CLI, PUSHF, POPF -> flagTransfers.translated(i, block.context);
            case SYSCALL, SYSRET, SWAPGS, STAC, CLAC -> privileges.translated(i);
            default -> Translatability.copied(i) && unitsUsable(i) && copied.possible(i);
        };
    }

    private boolean unitsUsable(Instruction i) {
        if (!Operands.usesUnits(i)) {
            return true;
        }
        return i.vex() ? Context.avxUsable(block.context) : Context.sseUsable(block.context);
    }

    private static boolean near(Instruction i) {
        if (i.op == Op.JCC || i.op == Op.JMP || i.op == Op.CALL || i.op == Op.RET) {
            return i.operandSize == 8
                    && !(i.op == Op.CALL && i.kind0 == Instruction.GPR && i.reg0 == 4);
        }
        return false;
    }

    /** By instruction: whether nobody looks at the flags from before it. */
    private void planFlags() {
        int count = instructions.size();
        flagsDead[count] = false;
        for (int n = count - 1; n >= 0; n--) {
            Instruction i = instructions.get(n);
            if (n == count - 1 && endsBlock(i)) {
                flagsDead[n] = false;
            } else {
                flagsDead[n] = FlagEffects.replaces(i) || !FlagEffects.reads(i) && flagsDead[n + 1];
            }
        }
    }

    private void emit(Instruction i) {
        if (!translated(i)) {
            exitToInterpreter(new GuestProcessor.Prepared(i));
            return;
        }
        switch (i.op) {
            case NOP, ENDBR, PREFETCH, CLD, SERIALIZE -> {}
            case PAUSE -> {
                asm.emit(0xf3);
                asm.emit(0x90);
            }
            case LEA -> lea(i);
            case PUSH -> push(i);
            case POP -> pop(i);
            case LEAVE -> leave();
            case JCC -> branch(i);
            case JMP -> jump(i);
            case CALL -> call(i);
            case RET -> ret(i);
            case DIV, IDIV -> new Division(this).emit(i);
            case MOVS, STOS, LODS -> strings.emit(i);
            case STI -> enableInterrupts();
            case BT, BTS, BTR, BTC -> {
                if (BitString.translated(i)) {
                    bitStrings.emit(i);
                } else {
                    copied.emit(i, at);
                }
            }
            case CMPXCHG8B, CMPXCHG16B -> compareExchangePair(i);
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

    /** Leaves if the host's x87 registers are not the guest's, to come back when they are. */
    private void requireX87() {
        x87Loaded = true;
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.X87_MISSING);
        int loaded = asm.jrcxzAhead();
        int missing = asm.jmpAhead();
        asm.bind8(loaded);
        int site = leavingSite(remaining());
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

    FlagTransfers flags() {
        return flagTransfers;
    }

    int context() {
        return block.context;
    }

    boolean flagsDead() {
        return flagsDead[current];
    }

    boolean flagsSaved() {
        return flagsSaved;
    }

    /** How many memory accesses come before the flags are next replaced. */
    int accessesUntilReplaced() {
        int accesses = 0;
        for (int n = current; n < instructions.size(); n++) {
            Instruction i = instructions.get(n);
            if (i.hasMemory() && i.op != Op.LEA || i.op == Op.PUSH || i.op == Op.POP) {
                accesses++;
            }
            if (FlagEffects.replaces(i)) {
                break;
            }
        }
        return accesses;
    }

    /** Puts the flags aside; spoils the scratch register for addresses. */
    void saveFlags() {
        asm.mov(Gpr.ADDRESS, RAX);
        Stubs.emitFlagsToAx(asm);
        asm.storeState32(ProcessorBlock.SAVED_FLAGS, RAX);
        asm.mov(RAX, Gpr.ADDRESS);
        flagsSaved = true;
    }

    /**
     * A missed access is to be tried again from here: after flags were put aside, and not before
     * another access of the instruction, whose page may be one for the same entry of the TLB.
     */
    void retryHere() {
        retry = asm.here();
    }

    /** The host's flags are the guest's again. */
    void flagsUndefined() {
        flagsSaved = false;
    }

    void restoreFlags() {
        asm.mov(Gpr.ADDRESS, RAX);
        asm.loadState32(RAX, ProcessorBlock.SAVED_FLAGS);
        Stubs.emitFlagsFromAx(asm);
        asm.mov(RAX, Gpr.ADDRESS);
        flagsSaved = false;
    }

    /** Leaves for an event before the current instruction; spoils flags and scratch. */
    void pollKeepingRip() {
        asm.memState(ProcessorBlock.QUIET);
        asm.opMem(false, 0x83, 7);
        asm.emit(0);
        int event = asm.jccAhead(4);
        int place = at;
        int site = leavingSite(remaining());
        cold(List.of(event), () -> leaveForEvent(place, site));
    }

    private void leaveForEvent(int offset, int site) {
        asm.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, offset);
        asm.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        exit(site, ExitReason.EVENT);
    }

    /** Adds code that is seldom run, reached by jumps whose displacements stand at the places. */
    void cold(List<Integer> jumpsHere, Runnable code) {
        coldPaths.add(new ColdPath(jumpsHere, code));
    }

    int memorySite(boolean write, int size, int alignment) {
        return cache.addSite(
                new Site(
                        block,
                        new GuestProcessor.Prepared(instruction),
                        at,
                        write,
                        size,
                        alignment,
                        retry,
                        flagsSaved,
                        block.context,
                        remaining()));
    }

    /** Leaves for the interpreter with the current instruction. */
    void exitToInterpreter(GuestProcessor.Prepared prepared) {
        int site =
                cache.addSite(
                        new Site(
                                block,
                                prepared,
                                at,
                                false,
                                0,
                                1,
                                retry,
                                flagsSaved,
                                block.context,
                                remaining()));
        exit(site, ExitReason.INTERPRET);
    }

    /** Jumps here to have the current instruction interpreted. */
    void interpretCold(List<Integer> jumpsHere) {
        Instruction i = instruction;
        int place = at;
        boolean saved = flagsSaved;
        TranslatedBlock owner = block;
        long start = retry;
        int left = remaining();
        cold(
                jumpsHere,
                () ->
                        exit(
                                cache.addSite(
                                        new Site(
                                                owner,
                                                new GuestProcessor.Prepared(i),
                                                place,
                                                false,
                                                0,
                                                1,
                                                start,
                                                saved,
                                                owner.context,
                                                left)),
                                ExitReason.INTERPRET));
    }

    void exit(int site, int reason) {
        asm.storeStateImm32(ProcessorBlock.SITE, site);
        asm.jmp(stubs.exit[reason]);
    }

    private void finish() {
        for (int n = 0; n < coldPaths.size(); n++) {
            ColdPath path = coldPaths.get(n);
            path.jumpsHere.forEach(asm::bind32);
            path.code.run();
        }
        for (Jump jump : jumps) {
            asm.bind32(jump.displacementAt);
            if (jump.guardAt != 0) {
                asm.bind32(jump.differsAt);
            }
            long start = asm.here() - asm.size();
            int link =
                    cache.addLink(
                            new Link(
                                    block,
                                    jump.context,
                                    jump.targetOffset,
                                    start + jump.displacementAt,
                                    asm.size() - jump.displacementAt - 4,
                                    jump.guardAt == 0 ? -1 : start + jump.guardAt));
            if (jump.guardAt != 0) {
                asm.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
            }
            asm.storeStateImm32(ProcessorBlock.SITE, link);
            asm.jmp(stubs.exit[jump.guardAt == 0 ? ExitReason.LINK : ExitReason.FAR_LINK]);
        }
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

    // Addresses

    /** Linear address of the instruction's memory operand to {@link Gpr#ADDRESS}; no flags. */
    void address(Instruction i, int next) {
        effectiveAddress(i, next, Gpr.ADDRESS);
        if (i.segment >= 4) {
            asm.loadState(Gpr.SCRATCH, ProcessorBlock.SEGMENT_BASE + 8 * (i.segment - 4));
            asm.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        }
    }

    private void effectiveAddress(Instruction i, int next, int to) {
        boolean narrow = i.addressSize == 4;
        if (i.base == Instruction.RIP) {
            asm.loadState(to, ProcessorBlock.PAGE);
            asm.mem(to, Math.toIntExact(next + i.disp));
        } else if (i.base < 0 && i.index < 0) {
            asm.movImm64(to, narrow ? i.disp & 0xffffffffL : i.disp);
            return;
        } else {
            int base = i.base < 0 ? NONE : read(i.base, Gpr.ADDRESS);
            int index = i.index < 0 ? NONE : read(i.index, Gpr.SCRATCH);
            if (index != NONE && base == NONE && i.scale == 0) {
                asm.mem(index, (int) i.disp);
            } else {
                asm.mem(base, index, i.scale, (int) i.disp);
            }
        }
        asm.opMem(!narrow, 0x8d, to);
    }

    int next() {
        return at + instruction.length;
    }

    private void lea(Instruction i) {
        int target = Gpr.host(i.reg0);
        int to = target == Gpr.SPILLED ? Gpr.ADDRESS : target;
        if (i.base == Instruction.RIP || target == Gpr.SPILLED || i.operandSize == 4) {
            effectiveAddress(i, next(), Gpr.ADDRESS);
            if (i.operandSize == 4) {
                asm.mov32(to, Gpr.ADDRESS);
            } else if (to != Gpr.ADDRESS) {
                asm.mov(to, Gpr.ADDRESS);
            }
        } else {
            effectiveAddress(i, next(), to);
        }
        if (target == Gpr.SPILLED) {
            asm.storeState(ProcessorBlock.register(i.reg0), to);
        }
    }

    // The stack

    private Runnable belowTop() {
        return () -> asm.lea(Gpr.ADDRESS, Gpr.RSP, -8);
    }

    private void push(Instruction i) {
        switch (i.kind0) {
            case Instruction.IMM -> {
                probe.emit(belowTop(), 8, true, 1);
                asm.mem(Gpr.ADDRESS, 0);
                asm.opMem(true, 0xc7, 0);
                asm.emit32((int) i.imm);
            }
            case Instruction.MEM -> {
                int after = next();
                probe.emit(() -> address(i, after), 8, false, 1);
                asm.mem(Gpr.ADDRESS, 0);
                asm.loadMem(Gpr.ADDRESS);
                asm.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
                probe.emit(belowTop(), 8, true, 1);
                asm.loadState(Gpr.SCRATCH, ProcessorBlock.TEMPORARY);
                asm.mem(Gpr.ADDRESS, 0);
                asm.storeMem(Gpr.SCRATCH);
            }
            default -> {
                probe.emit(belowTop(), 8, true, 1);
                int value = read(i.reg0, Gpr.SCRATCH);
                asm.mem(Gpr.ADDRESS, 0);
                asm.storeMem(value);
            }
        }
        asm.lea(Gpr.RSP, Gpr.RSP, -8);
    }

    private void pop(Instruction i) {
        probe.emit(() -> asm.mov(Gpr.ADDRESS, Gpr.RSP), 8, false, 1);
        int host = Gpr.host(i.reg0);
        asm.mem(Gpr.ADDRESS, 0);
        asm.loadMem(host == Gpr.SPILLED ? Gpr.SCRATCH : host);
        if (host == Gpr.SPILLED) {
            asm.storeState(ProcessorBlock.register(i.reg0), Gpr.SCRATCH);
        }
        asm.lea(Gpr.RSP, Gpr.RSP, 8);
    }

    private void leave() {
        probe.emit(() -> asm.mov(Gpr.ADDRESS, RBP), 8, false, 1);
        asm.mem(Gpr.ADDRESS, 0);
        asm.loadMem(Gpr.ADDRESS);
        asm.lea(Gpr.RSP, RBP, 8);
        asm.mov(RBP, Gpr.ADDRESS);
    }

    // Jumps

    private void branch(Instruction i) {
        int target = next() + (int) i.imm;
        if (target >= 0 && target < PAGE_SIZE && target > at) {
            jumps.add(new Jump(jccToLink(i.condition), block.context, target));
        } else {
            int taken = asm.jccAhead(i.condition);
            jumpTo(next(), false);
            asm.bind32(taken);
            jumpTo(target, true);
            return;
        }
        jumpTo(next(), false);
    }

    /** The displacement has to lie in one aligned word, to be replaced in one store. */
    private int jccToLink(int condition) {
        alignDisplacement(2);
        return asm.jccAhead(condition);
    }

    private void alignDisplacement(int opcodeBytes) {
        while ((asm.here() + opcodeBytes & 3) != 0) {
            asm.emit(0x90);
        }
    }

    /**
     * Goes on at an offset from the page's start, here or on another page.
     *
     * @param poll whether to look for events on the way
     */
    private void jumpTo(int target, boolean poll) {
        jumpTo(target, poll, block.context);
    }

    private void jumpTo(int target, boolean poll, int context) {
        if (target < 0 || target >= PAGE_SIZE) {
            if (poll) {
                poll(target, 0);
            }
            farJump(target, context);
            return;
        }
        if (poll) {
            poll(target, 0);
        }
        alignDisplacement(1);
        jumps.add(new Jump(asm.jmpAhead(), context, target));
    }

    /**
     * Goes on at an offset that lies on another page: straight there, if the page at that address
     * is the one it was when the jump was linked.
     */
    private void farJump(int target, int context) {
        asm.loadState(Gpr.ADDRESS, ProcessorBlock.PAGE);
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, target);
        asm.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.CODE_INDEX_MASK);
        asm.memState(Gpr.SCRATCH, 3, ProcessorBlock.codes(context));
        asm.loadMem(Gpr.SCRATCH);
        // lea rcx, [rcx + r14 + constant], of 8 bytes, the last 4 of them to be replaced
        while ((asm.here() & 3) != 0) {
            asm.emit(0x90);
        }
        asm.mem(Gpr.SCRATCH, Gpr.ADDRESS, 0, 0x7fffffff);
        asm.leaMem(Gpr.SCRATCH);
        int guardAt = asm.size() - 4;
        int same = asm.jrcxzAhead();
        int differs = asm.jmpAhead();
        asm.bind8(same);
        alignDisplacement(1);
        jumps.add(new Jump(asm.jmpAhead(), context, target, guardAt, differs));
    }

    /** Leaves for an event, to go on at an offset later; no flags are touched. */
    private void poll(int target, int left) {
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int event = asm.jrcxzAhead();
        int on = asm.jmpShortAhead();
        asm.bind8(event);
        int site = leavingSite(left);
        int cold = asm.jmpAhead();
        cold(List.of(cold), () -> leaveForEvent(target, site));
        asm.bind8(on);
    }

    /** Goes on at the linear address in {@link Gpr#ADDRESS}; looks for events on the way. */
    private void indirectJump() {
        indirectJump(block.context);
    }

    void indirectJump(int context) {
        int table = ProcessorBlock.jumps(context);
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.QUIET);
        int event = asm.jrcxzAhead();
        Stubs.emitFind(asm, table + ProcessorBlock.JUMP_TAG);
        asm.loadMem(Gpr.SCRATCH);
        asm.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 0);
        int hit = asm.jrcxzAhead();
        asm.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        exit(indirectSite(context), ExitReason.INDIRECT);
        asm.bind8(event);
        asm.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
        exit(indirectSite(context), ExitReason.EVENT);
        asm.bind8(hit);
        Stubs.emitFind(asm, table + ProcessorBlock.JUMP_HOST);
        asm.jmpMem();
    }

    private int remaining() {
        return countInstructions ? instructions.size() - current : 0;
    }

    /** A place where the jump that ends the block is done. */
    private int indirectSite(int target) {
        return leavingSite(0, target);
    }

    private int leavingSite(int left) {
        return leavingSite(left, block.context);
    }

    private int leavingSite(int left, int target) {
        return cache.addSite(
                new Site(
                        block,
                        new GuestProcessor.Prepared(instruction),
                        at,
                        false,
                        0,
                        1,
                        retry,
                        flagsSaved,
                        target,
                        left));
    }

    private void jump(Instruction i) {
        switch (i.kind0) {
            case Instruction.REL -> {
                int target = next() + (int) i.imm;
                jumpTo(target, target <= at);
            }
            case Instruction.MEM -> {
                int after = next();
                probe.emit(() -> address(i, after), 8, false, 1);
                asm.mem(Gpr.ADDRESS, 0);
                asm.loadMem(Gpr.ADDRESS);
                indirectJump();
            }
            default -> {
                int target = read(i.reg0, Gpr.ADDRESS);
                if (target != Gpr.ADDRESS) {
                    asm.mov(Gpr.ADDRESS, target);
                }
                indirectJump();
            }
        }
    }

    private void call(Instruction i) {
        int after = next();
        if (i.kind0 == Instruction.MEM) {
            probe.emit(() -> address(i, after), 8, false, 1);
            asm.mem(Gpr.ADDRESS, 0);
            asm.loadMem(Gpr.ADDRESS);
            asm.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
        }
        probe.emit(belowTop(), 8, true, 1);
        asm.loadState(Gpr.SCRATCH, ProcessorBlock.PAGE);
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, after);
        asm.mem(Gpr.ADDRESS, 0);
        asm.storeMem(Gpr.SCRATCH);
        asm.lea(Gpr.RSP, Gpr.RSP, -8);
        if (after < PAGE_SIZE) {
            callOnHost(after);
        }
        switch (i.kind0) {
            case Instruction.REL -> jumpTo(after + (int) i.imm, true);
            case Instruction.MEM -> {
                asm.loadState(Gpr.ADDRESS, ProcessorBlock.TEMPORARY);
                indirectJump();
            }
            default -> {
                int target = read(i.reg0, Gpr.ADDRESS);
                if (target != Gpr.ADDRESS) {
                    asm.mov(Gpr.ADDRESS, target);
                }
                indirectJump();
            }
        }
    }

    private void ret(Instruction i) {
        probe.emit(() -> asm.mov(Gpr.ADDRESS, Gpr.RSP), 8, false, 1);
        asm.mem(Gpr.ADDRESS, 0);
        asm.loadMem(Gpr.ADDRESS);
        asm.lea(Gpr.RSP, Gpr.RSP, 8 + (i.kind0 == Instruction.IMM ? (int) i.imm & 0xffff : 0));
        asm.storeStateImm32(ProcessorBlock.SITE, indirectSite(block.context));
        asm.emit(0xc3);
    }

    /**
     * Makes the rest of a call the body of a call of the host's, so that its processor foresees the
     * return. Where that comes back to, with the guest's return address in {@link Gpr#ADDRESS}, it
     * is compared with the one expected: the offset, and what page lies there now. A host's return
     * to the wrong place, as after a switch of the guest's stack, only takes longer.
     */
    private void callOnHost(int after) {
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.CALLS_LEFT);
        asm.lea(Gpr.SCRATCH, Gpr.SCRATCH, -1);
        asm.storeState32(ProcessorBlock.CALLS_LEFT, Gpr.SCRATCH);
        int none = asm.jrcxzAhead();
        int again = asm.size();
        int body = asm.callAhead();
        asm.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.CODE_INDEX_MASK);
        asm.memState(Gpr.SCRATCH, 3, ProcessorBlock.codes(block.context));
        asm.loadMem(Gpr.SCRATCH);
        asm.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, block.page.number - after);
        int expected = asm.jrcxzAhead();
        asm.jmp(stubs.lookUp[block.context]);
        asm.bind8(expected);
        asm.lea(Gpr.ADDRESS, Gpr.ADDRESS, -after);
        asm.storeState(ProcessorBlock.PAGE, Gpr.ADDRESS);
        jumpTo(after, false);
        asm.bind8(none);
        asm.loadState(RSP, ProcessorBlock.STACK_BOTTOM);
        asm.storeStateImm32(ProcessorBlock.CALLS_LEFT, Stubs.CALLS_IN_A_ROW);
        asm.jmpShortBack(again);
        asm.bind32(body);
    }

    /** Forgets the host's calls: their returns are not for code in another context. */
    void forgetCalls(int context) {
        asm.loadState(RSP, ProcessorBlock.STACK_BOTTOM);
        asm.movImm64(Gpr.SCRATCH, stubs.lastReturn[context]);
        asm.mem(RSP, 0);
        asm.storeMem(Gpr.SCRATCH);
    }

    /** Goes on with the next instruction in another context. */
    void changeContext(int context) {
        forgetCalls(context);
        jumpTo(next(), false, context);
    }

    /** Events that were held off come after the next instruction. */
    private void enableInterrupts() {
        asm.storeStateImm32(ProcessorBlock.INTERRUPT_FLAG, 0x200);
        recallHeldEvents();
        interruptsAfterThis = true;
    }

    /** Lets the next look for events find those that IF held off. */
    void recallHeldEvents() {
        asm.loadState32(Gpr.SCRATCH, ProcessorBlock.NOTHING_HELD);
        int held = asm.jrcxzAhead();
        int on = asm.jmpShortAhead();
        asm.bind8(held);
        asm.storeStateImm32(ProcessorBlock.QUIET, 0);
        asm.bind8(on);
    }

    // CMPXCHG8B and CMPXCHG16B use RCX, which is scratch here

    private void compareExchangePair(Instruction i) {
        int after = next();
        int size = i.op == Op.CMPXCHG16B ? 16 : 8;
        probe.emit(() -> address(i, after), size, true, size == 16 ? 16 : 1);
        asm.mov(Gpr.SCRATCH, Gpr.RCX);
        if (i.lock()) {
            asm.emit(0xf0);
        }
        asm.mem(Gpr.ADDRESS, 0);
        asm.opMem(0, size == 16, MAP_0F, 0xc7, 1, false);
    }
}
