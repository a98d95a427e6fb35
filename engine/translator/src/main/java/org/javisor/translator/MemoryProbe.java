package org.javisor.translator;

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

    private LinearAddress linear(Instruction i, int farther) {
        int after = block.next();
        if (Addresses.nearRegister(i)) {
            return new LinearAddress.Near(
                    block.asm, Gpr.host(i.base), (int) i.disp + farther, LinearAddress.NO_FIELD);
        }
        if (Addresses.nearPage(i)) {
            int displacement = after + (int) i.disp + farther;
            return new LinearAddress.Near(
                    block.asm, Gpr.ADDRESS, displacement, ProcessorBlock.PAGE);
        }
        if (Addresses.nearSegment(i)) {
            int field = Addresses.segmentBase(i);
            return new LinearAddress.Near(block.asm, Gpr.ADDRESS, (int) i.disp + farther, field);
        }
        return new LinearAddress.Computed(() -> block.addresses().linear(i, after, farther));
    }

    /** The same for 8 bytes of the stack. */
    int stack(int disp, boolean write) {
        return stack(disp, write, false).displacement();
    }

    HostAddress stack(int disp, boolean write, boolean scratchFree) {
        Access access = new Access(AccessGroups.stackKey(), disp, 8, write, 1);
        return grouped(
                access,
                start -> new LinearAddress.Near(block.asm, Gpr.RSP, start, LinearAddress.NO_FIELD),
                scratchFree);
    }

    /** An access that may share a probe with others of its key. */
    private record Access(int key, int displacement, int size, boolean write, int alignment) {}

    /**
     * @param start the linear address at a displacement
     */
    private HostAddress grouped(
            Access access, IntFunction<LinearAddress> start, boolean scratchFree) {
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
            return SlotCheck.distance(block.context(), lastSlot);
        }
        int field = block.knownPages().freeField();
        block.asm.storeState(field, Gpr.SCRATCH);
        return field;
    }

    /** How far the page is on the host stands in a field. */
    private HostAddress onKnownPage(LinearAddress linear, int field, boolean scratchFree) {
        linear.load();
        block.asm.loadState(Gpr.SCRATCH, field);
        HostAddress found = new HostAddress(linear.register(), Gpr.SCRATCH, linear.displacement());
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
        emit(
                new Check(new LinearAddress.Computed(address), size, write, alignment, null, false),
                1,
                false);
    }

    /**
     * What a probe makes sure of.
     *
     * @param group the accesses it is for, or null if it is for one
     * @param neededLater whether {@link Gpr#SCRATCH} is to have the distance, if no slot has it
     */
    private record Check(
            LinearAddress linear,
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
                bySlot && check.linear.placed(check.size, check.alignment)
                        ? !block.flags().inHost()
                        : block.flags()
                                .allowSpoiling(accesses, bySlot ? SLOT_SAVING : LOOKUP_SAVING);
        block.retryHere();
        return bySlot
                ? bySlot(check, mayClobber, scratchFree)
                : byLookup(check, mayClobber, scratchFree);
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
        LinearAddress linear = check.linear;
        boolean stays = linear.stays();
        HostAddress sum =
                stays
                        ? new HostAddress(linear.register(), Gpr.SCRATCH, linear.displacement())
                        : new HostAddress(Gpr.ADDRESS, Gpr.SCRATCH, 0);
        boolean computed = mayClobber || !stays;
        if (computed) {
            linear.compute();
        }
        int miss =
                mayClobber
                        ? lookup.withFlags()
                        : computed
                                ? lookup.withoutFlags()
                                : lookup.withoutFlags(linear.register(), linear.displacement());
        Runnable remake = block.flags().remake();
        block.cold(
                List.of(miss),
                () -> {
                    if (mayClobber || stays) {
                        linear.compute();
                    }
                    remake.run();
                    block.exit(site, ExitReason.MEMORY);
                });
        if (mayClobber && !(stays && scratchFree)) {
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
        SlotCheck slotCheck = new SlotCheck(a, block.context(), slot);
        if (block.onTrial()) {
            slotCheck.count();
        }
        LinearAddress linear = check.linear;
        linear.load();
        int site =
                block.sites().access(check.write, check.size, check.alignment, slot, check.group);
        HostAddress sum = new HostAddress(linear.register(), Gpr.SCRATCH, linear.displacement());
        List<Integer> misses =
                linear.placed(check.size, check.alignment)
                        ? List.of(slotCheck.ofPage(sum, mayClobber))
                        : mayClobber
                                ? slotCheck.withFlags(sum, check.size, check.alignment)
                                : slotCheck.withoutFlags(
                                        sum, check.size, check.alignment, check.group == null);
        long inside = a.here();
        HostAddress found = HostAddress.whole(0);
        if (!scratchFree && mayClobber && linear.isWhole()) {
            a.memState(slotCheck.distance());
            a.opMem(true, 0x03, Gpr.ADDRESS); // add
        } else {
            a.loadState(Gpr.SCRATCH, slotCheck.distance());
            found = scratchFree ? sum : summedUp(sum);
        }
        long done = a.here();
        boolean again = scratchFree && linear.register() == Gpr.ADDRESS;
        Runnable remake = block.flags().remake();
        int beyond = check.size - check.alignment;
        int argument = beyond << 16 | ProcessorBlock.SLOT_PAGE + slot;
        long stub = block.renewSlot(check.write, check.alignment);
        block.cold(
                misses,
                () -> {
                    if (!linear.isWhole()) {
                        linear.compute();
                    }
                    a.movImm32(Gpr.SCRATCH, argument);
                    a.call(stub);
                    int renewed = a.jrcxzAhead();
                    remake.run();
                    block.exitRenewing(site);
                    a.bind8(renewed);
                    if (again) {
                        linear.load();
                    }
                    a.jmp(scratchFree ? inside : done);
                });
        return found;
    }

    /**
     * Kernels go from object to object: the same place seldom meets the same page again. So does
     * what is seldom executed.
     */
    private boolean slotRepays() {
        return Context.user(block.context()) && block.busy() && !block.accessesManyPages();
    }

    private int nextSlot(boolean write) {
        int number =
                write
                        ? ProcessorBlock.READ_SLOTS + nextWrite++ % ProcessorBlock.WRITE_SLOTS
                        : nextRead++ % ProcessorBlock.READ_SLOTS;
        return 8 * number;
    }
}
