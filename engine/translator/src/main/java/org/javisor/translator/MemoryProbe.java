package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.javisor.x86.Instruction;

/**
 * How the linear address of an access becomes a host address, or the code is left.
 *
 * <p>Most code calls a stub that looks into the TLB: seventeen bytes at the place of the access
 * instead of a hundred. Large programs spend more on fetching code than on what it does.
 *
 * <p>In {@link BusyBlocks} it is done in line, by a {@link TlbLookup}, and each place in user code
 * has a <em>slot</em> of the {@link ProcessorBlock}: the negated address of the page it touched
 * last and how far from it that page lies on the host. Adding the negated address leaves the offset
 * in the page if it is the same page again, and something too large if not. As the slot's place
 * does not depend on the address, the processor has it long before it has the address; a look into
 * a table by the address puts two loads in a row instead of one. Another page is sought in the TLB
 * by a stub, which renews the slot. A place that goes from page to page too often is found out by
 * {@link RestlessPlaces} and does a lookup again.
 *
 * <p>What is in line has two forms. One compares and so spoils the flags, which then must be put
 * aside, or not needed and easily made again. The other does without flags, by PEXT and LOOP, as
 * the stubs do.
 */
final class MemoryProbe {
    private static final int NO_SLOT = -1;
    private static final int NO_FIELD = -1;
    private static final int PAGE_SIZE = 4096;

    /** What the form with flags saves, in what an instruction costs. */
    private static final int SLOT_SAVING = 2, LOOKUP_SAVING = 4;

    private final BlockTranslator block;
    private int nextRead;
    private int nextWrite;

    /** That of the last probe, if it has one. */
    private int lastSlot;

    MemoryProbe(BlockTranslator block) {
        this.block = block;
    }

    /** A linear address that is needed, and how to get at it without touching flags. */
    private sealed interface Linear {
        /** Puts it into {@link Gpr#ADDRESS}, perhaps using {@link Gpr#SCRATCH}. */
        void compute();
    }

    /** It takes a computation. */
    private record Computed(Runnable computation) implements Linear {
        @Override
        public void compute() {
            computation.run();
        }
    }

    /**
     * It lies a displacement from what a host register holds.
     *
     * @param field of the processor block that has to be loaded to the register, {@link
     *     Gpr#ADDRESS}, before, or {@link #NO_FIELD}
     */
    private record Near(Assembler a, int register, int displacement, int field) implements Linear {
        @Override
        public void compute() {
            load();
            if (displacement != 0) {
                a.lea(Gpr.ADDRESS, register, displacement);
            } else if (register != Gpr.ADDRESS) {
                a.mov(Gpr.ADDRESS, register); // which processors do by renaming
            }
        }

        void load() {
            if (field != NO_FIELD) {
                a.loadState(register, field);
            }
        }

        /** Whether it is known that bytes from there on lie on one page, and how aligned. */
        boolean placed(int size, int alignment) {
            int offset = displacement & PAGE_SIZE - 1;
            return field == ProcessorBlock.PAGE
                    && offset + size <= PAGE_SIZE
                    && (offset & alignment - 1) == 0;
        }
    }

    /**
     * Finds an instruction's memory operand, whose host address is then in {@link Gpr#ADDRESS} but
     * for a displacement, which is the result.
     *
     * @param alignment 1, 16 or 32: what else goes to the interpreter
     */
    int operand(Instruction i, int size, boolean write, int alignment) {
        return operand(i, size, write, alignment, false).displacement();
    }

    /**
     * The same, wherever its host address is then.
     *
     * @param scratchFree whether {@link Gpr#SCRATCH} may be part of it
     */
    HostAddress operand(
            Instruction i, int size, boolean write, int alignment, boolean scratchFree) {
        int key = AccessGroups.keyOf(i);
        if (key == AccessGroups.NO_KEY) {
            block.groups().end();
            return emit(
                    new Check(linear(i, 0), size, write, alignment, null, false), 1, scratchFree);
        }
        int disp = (int) i.disp;
        Access access = new Access(key, disp, size, write, alignment);
        return grouped(access, start -> linear(i, start - disp), scratchFree);
    }

    private Linear linear(Instruction i, int farther) {
        int after = block.next();
        if (Addresses.nearRegister(i)) {
            return new Near(block.asm, Gpr.host(i.base), (int) i.disp + farther, NO_FIELD);
        }
        if (Addresses.nearPage(i)) {
            int displacement = after + (int) i.disp + farther;
            return new Near(block.asm, Gpr.ADDRESS, displacement, ProcessorBlock.PAGE);
        }
        if (Addresses.nearSegment(i)) {
            int field = Addresses.segmentBase(i);
            return new Near(block.asm, Gpr.ADDRESS, (int) i.disp + farther, field);
        }
        return new Computed(() -> block.addresses().linear(i, after, farther));
    }

    /** The same for 8 bytes of the stack. */
    int stack(int disp, boolean write) {
        return stack(disp, write, false).displacement();
    }

    HostAddress stack(int disp, boolean write, boolean scratchFree) {
        Access access = new Access(AccessGroups.stackKey(), disp, 8, write, 1);
        return grouped(access, start -> new Near(block.asm, Gpr.RSP, start, NO_FIELD), scratchFree);
    }

    /** An access that may share a probe with others of its key. */
    private record Access(int key, int displacement, int size, boolean write, int alignment) {}

    /**
     * @param start the linear address at a displacement
     */
    private HostAddress grouped(Access access, IntFunction<Linear> start, boolean scratchFree) {
        AccessGroups groups = block.groups();
        int key = access.key;
        int disp = access.displacement;
        int known = groups.displacement(key, disp, access.size, access.write, access.alignment);
        if (known != AccessGroups.NOT_COVERED) {
            return HostAddress.whole(known);
        }
        int field =
                block.knownPages().field(key, disp, access.size, access.write, access.alignment);
        if (field >= 0) {
            groups.end();
            return onKnownPage(start.apply(disp), field, scratchFree);
        }
        int accesses = block.planGroup(key, disp, access.write, access.alignment, slotRepays());
        int low = groups.low();
        boolean alone =
                groups.span() == access.size
                        && groups.writes() == access.write
                        && groups.alignment() == access.alignment;
        AccessGroup group =
                alone
                        ? null
                        : new AccessGroup(disp - low, access.size, access.write, access.alignment);
        Check check =
                new Check(
                        start.apply(low),
                        groups.span(),
                        groups.writes(),
                        groups.alignment(),
                        group,
                        groups.neededLater());
        HostAddress found = emit(check, accesses, scratchFree && accesses == 1);
        if (found.index() == Assembler.NONE) {
            groups.begin();
        } else {
            groups.end();
        }
        if (check.neededLater) {
            block.knownPages()
                    .add(key, low, groups.high(), check.write, check.alignment, distanceField());
        }
        return new HostAddress(found.base(), found.index(), found.displacement() + disp - low);
    }

    /** Where the distance stands that the last probe has found. */
    private int distanceField() {
        if (lastSlot >= 0) {
            return distance(lastSlot);
        }
        int field = block.knownPages().freeField();
        block.asm.storeState(field, Gpr.SCRATCH);
        return field;
    }

    /** How far the page is on the host stands in a field. */
    private HostAddress onKnownPage(Linear linear, int field, boolean scratchFree) {
        Assembler a = block.asm;
        int register = Gpr.ADDRESS;
        int displacement = 0;
        if (linear instanceof Near near) {
            near.load();
            register = near.register;
            displacement = near.displacement;
        } else {
            linear.compute();
        }
        a.loadState(Gpr.SCRATCH, field);
        HostAddress found = new HostAddress(register, Gpr.SCRATCH, displacement);
        return scratchFree ? found : summedUp(found);
    }

    private HostAddress summedUp(HostAddress address) {
        address.set(block.asm);
        block.asm.leaMem(Gpr.ADDRESS);
        return HostAddress.whole(0);
    }

    /**
     * Emits a probe for an access on its own; its host address is then in {@link Gpr#ADDRESS}.
     *
     * @param address puts the linear address there, using {@link Gpr#SCRATCH} and no flags
     */
    void emit(Runnable address, int size, boolean write, int alignment) {
        block.groups().end();
        emit(new Check(new Computed(address), size, write, alignment, null, false), 1, false);
    }

    /**
     * What a probe makes sure of.
     *
     * @param group the accesses it is for, or null if it is for one
     * @param neededLater whether {@link Gpr#SCRATCH} is to have the distance, if no slot has it
     */
    private record Check(
            Linear linear,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            boolean neededLater) {}

    private HostAddress emit(Check check, int accesses, boolean scratchFree) {
        lastSlot = NO_SLOT;
        int span = Stubs.span(check.size);
        if (span != 0 && !block.busy()) {
            call(check, span);
            return HostAddress.whole(0);
        }
        boolean bySlot = slotRepays();
        boolean mayClobber =
                bySlot && placed(check)
                        ? !block.flags().inHost()
                        : block.flags()
                                .allowSpoiling(accesses, bySlot ? SLOT_SAVING : LOOKUP_SAVING);
        block.retryHere();
        return bySlot
                ? bySlot(check, mayClobber, scratchFree)
                : byLookup(check, mayClobber, scratchFree);
    }

    private static boolean placed(Check check) {
        return check.linear instanceof Near near && near.placed(check.size, check.alignment);
    }

    private void call(Check check, int span) {
        Assembler a = block.asm;
        block.retryHere();
        check.linear.compute();
        int site = block.sites().access(check.write, span, check.alignment, check.group);
        a.movImm32(Gpr.SCRATCH, site);
        a.call(block.accessStub(check.write, span, check.alignment));
    }

    private HostAddress byLookup(Check check, boolean mayClobber, boolean scratchFree) {
        Assembler a = block.asm;
        TlbLookup lookup =
                new TlbLookup(a, block.context(), check.size, check.write, check.alignment);
        int site = block.sites().access(check.write, check.size, check.alignment, check.group);
        HostAddress sum = new HostAddress(Gpr.ADDRESS, Gpr.SCRATCH, 0);
        Near near = check.linear instanceof Near n && n.field == NO_FIELD ? n : null;
        if (near != null) {
            sum = new HostAddress(near.register, Gpr.SCRATCH, near.displacement);
        }
        boolean computed = mayClobber || near == null;
        if (computed) {
            check.linear.compute();
        }
        int miss =
                mayClobber
                        ? lookup.withFlags()
                        : computed
                                ? lookup.withoutFlags()
                                : lookup.withoutFlags(near.register, near.displacement);
        Runnable remake = block.flags().remake();
        block.cold(
                List.of(miss),
                () -> {
                    if (mayClobber || near != null) {
                        check.linear.compute();
                    }
                    remake.run();
                    block.exit(site, ExitReason.MEMORY);
                });
        if (mayClobber && (near == null || !scratchFree)) {
            lookup.addHost();
            if (check.neededLater) {
                lookup.distance();
            }
            return HostAddress.whole(0);
        }
        if (mayClobber) {
            lookup.distance();
        }
        return scratchFree ? sum : summedUp(sum);
    }

    private HostAddress bySlot(Check check, boolean mayClobber, boolean scratchFree) {
        Assembler a = block.asm;
        int slot = nextSlot(check.write);
        lastSlot = slot;
        if (block.onTrial()) {
            count(a, slot);
        }
        int register = Gpr.ADDRESS;
        int displacement = 0;
        if (check.linear instanceof Near near) {
            near.load();
            register = near.register;
            displacement = near.displacement;
        } else {
            check.linear.compute();
        }
        int site =
                block.sites().access(check.write, check.size, check.alignment, slot, check.group);
        HostAddress sum = new HostAddress(register, Gpr.SCRATCH, displacement);
        List<Integer> misses =
                placed(check)
                        ? List.of(missUnlessSamePage(slot, sum, mayClobber))
                        : mayClobber ? withFlags(slot, sum, check) : withoutFlags(slot, sum, check);
        long inside = a.here();
        HostAddress found = HostAddress.whole(0);
        if (!scratchFree && mayClobber && check.linear instanceof Computed) {
            a.memState(distance(slot));
            a.opMem(true, 0x03, Gpr.ADDRESS); // add
        } else {
            a.loadState(Gpr.SCRATCH, distance(slot));
            found = scratchFree ? sum : summedUp(sum);
        }
        long done = a.here();
        boolean again = scratchFree && register == Gpr.ADDRESS;
        Runnable remake = block.flags().remake();
        int beyond = check.size - check.alignment;
        int argument = beyond << 16 | ProcessorBlock.SLOT_PAGE + slot;
        long stub = block.renewSlot(check.write, check.alignment);
        block.cold(
                misses,
                () -> {
                    if (check.linear instanceof Near) {
                        check.linear.compute();
                    }
                    a.movImm32(Gpr.SCRATCH, argument);
                    a.call(stub);
                    int renewed = a.jrcxzAhead();
                    remake.run();
                    block.exitRenewing(site);
                    a.bind8(renewed);
                    if (again) {
                        reload(check.linear);
                    }
                    a.jmp(scratchFree ? inside : done);
                });
        return found;
    }

    private static void reload(Linear linear) {
        switch (linear) {
            case Near near -> near.load();
            case Computed computed -> computed.compute();
        }
    }

    private int page(int slot) {
        return ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_PAGE + slot;
    }

    private int distance(int slot) {
        return ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_DISTANCE + slot;
    }

    /**
     * Kernels go from object to object: the same place seldom meets the same page again. So does
     * what is seldom executed.
     */
    private boolean slotRepays() {
        return Context.user(block.context()) && block.busy() && !block.accessesManyPages();
    }

    private void count(Assembler a, int slot) {
        int counter = ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_PASSES + slot;
        a.loadState(Gpr.SCRATCH, counter);
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, 1);
        a.storeState(counter, Gpr.SCRATCH);
    }

    private int nextSlot(boolean write) {
        int number =
                write
                        ? ProcessorBlock.READ_SLOTS + nextWrite++ % ProcessorBlock.WRITE_SLOTS
                        : nextRead++ % ProcessorBlock.READ_SLOTS;
        return 8 * number;
    }

    /** Where the offset in the page is known, only its page is to be compared. */
    private int missUnlessSamePage(int slot, HostAddress sum, boolean mayClobber) {
        Assembler a = block.asm;
        a.loadState(Gpr.SCRATCH, page(slot));
        int page = sum.displacement() & -PAGE_SIZE;
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, sum.base(), mayClobber ? page : page + 1);
        if (mayClobber) {
            a.op(true, 0x85, Gpr.SCRATCH, Gpr.SCRATCH); // test
            return a.jccAhead(5);
        }
        return a.loopFarAhead();
    }

    private List<Integer> withFlags(int slot, HostAddress sum, Check check) {
        Assembler a = block.asm;
        a.loadState(Gpr.SCRATCH, page(slot));
        if (sum.displacement() == 0) {
            a.op(true, 0x01, sum.base(), Gpr.SCRATCH); // add
        } else {
            sum.set(a);
            a.leaMem(Gpr.SCRATCH);
        }
        List<Integer> misses = new ArrayList<>();
        if (check.alignment > 1) {
            a.testImm(true, Gpr.SCRATCH, -4096 | check.alignment - 1);
            misses.add(a.jccAhead(5));
        }
        if (check.alignment == 1 || check.alignment < check.size) {
            a.aluImm(true, 7, Gpr.SCRATCH, 4096 - check.size);
            misses.add(a.jccAhead(7));
        }
        return misses;
    }

    /**
     * A single access passes if it is aligned to its size, and so does not reach beyond the page;
     * others of its kind are the stub's.
     */
    private List<Integer> withoutFlags(int slot, HostAddress sum, Check check) {
        boolean single = check.group == null;
        int aligned =
                single
                        ? Math.max(check.alignment, Integer.highestOneBit(2 * check.size - 1))
                        : check.alignment;
        List<Integer> misses = new ArrayList<>();
        misses.add(missUnlessInside(slot, sum, 0, Math.min(aligned, 32)));
        if (check.size > Math.min(aligned, 32)) {
            misses.add(missUnlessInside(slot, sum, check.size - 1, 1));
        }
        return misses;
    }

    private int missUnlessInside(int slot, HostAddress sum, int beyond, int alignment) {
        Assembler a = block.asm;
        a.loadState(Gpr.SCRATCH, page(slot));
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, sum.base(), sum.displacement() + beyond + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        return a.loopFarAhead();
    }
}
