package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;
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
    private final BlockTranslator block;
    private int nextRead;
    private int nextWrite;

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
        int after = block.next();
        int key = alignment == 1 ? AccessGroups.keyOf(i) : AccessGroups.NO_KEY;
        if (key == AccessGroups.NO_KEY) {
            emit(() -> block.addresses().linear(i, after), size, write, alignment);
            return 0;
        }
        int disp = (int) i.disp;
        return grouped(
                key, disp, size, write, low -> block.addresses().linear(i, after, low - disp));
    }

    /** The same for 8 bytes of the stack. */
    int stack(int disp, boolean write) {
        Assembler a = block.asm;
        return grouped(
                AccessGroups.stackKey(), disp, 8, write, low -> a.lea(Gpr.ADDRESS, Gpr.RSP, low));
    }

    /** Puts the linear address of a group's start into {@link Gpr#ADDRESS}, without flags. */
    private interface Start {
        void address(int low);
    }

    private int grouped(int key, int disp, int size, boolean write, Start start) {
        AccessGroups groups = block.groups();
        int known = groups.displacement(key, disp, size, write);
        if (known != AccessGroups.NOT_COVERED) {
            return known;
        }
        int accesses = block.planGroup(key, disp, write);
        if (accesses == 1) {
            emit(() -> start.address(disp), size, write, 1, null, 1);
            groups.begin();
            return 0;
        }
        int low = groups.low();
        AccessGroup group = new AccessGroup(disp - low, size, write);
        emit(() -> start.address(low), groups.span(), groups.writes(), 1, group, accesses);
        groups.begin();
        return disp - low;
    }

    /**
     * Emits a probe for an access on its own; its host address is then in {@link Gpr#ADDRESS}.
     *
     * @param address puts the linear address there, using {@link Gpr#SCRATCH} and no flags
     */
    void emit(Runnable address, int size, boolean write, int alignment) {
        block.groups().end();
        emit(address, size, write, alignment, null, 1);
    }

    private void emit(
            Runnable address,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            int accesses) {
        int span = Stubs.span(size);
        if (span != 0 && !block.busy()) {
            call(address, span, write, alignment, group);
        } else {
            inLine(address, size, write, alignment, group, accesses);
        }
    }

    private void call(Runnable address, int span, boolean write, int alignment, AccessGroup group) {
        Assembler a = block.asm;
        block.retryHere();
        address.run();
        a.movImm32(Gpr.SCRATCH, block.sites().access(write, span, alignment, group));
        a.call(block.accessStub(write, span, alignment));
    }

    private void inLine(
            Runnable address,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            int accesses) {
        Assembler a = block.asm;
        FlagState flags = block.flags();
        boolean mayClobber = flags.allowSpoiling(accesses);
        block.retryHere();
        if (!slotRepays()) {
            address.run();
            int site = block.sites().access(write, size, alignment, group);
            TlbLookup lookup = new TlbLookup(a, block.context(), size, write, alignment);
            int miss = mayClobber ? lookup.withFlags() : lookup.withoutFlags();
            Runnable remake = flags.remake();
            block.cold(
                    List.of(miss),
                    () -> {
                        if (mayClobber) {
                            address.run();
                        }
                        remake.run();
                        block.exit(site, ExitReason.MEMORY);
                    });
            return;
        }
        int slot = nextSlot(write);
        if (block.onTrial()) {
            count(a, slot);
        }
        address.run();
        int site = block.sites().access(write, size, alignment, slot, group);
        List<Integer> misses =
                mayClobber
                        ? withFlags(a, slot, size, alignment)
                        : withoutFlags(a, slot, size, alignment, group == null);
        long done = a.here();
        Runnable remake = flags.remake();
        int beyond = alignment > 1 ? 0 : size - 1;
        int argument = beyond << 16 | ProcessorBlock.SLOT_PAGE + slot;
        long stub = block.renewSlot(write, alignment);
        block.cold(
                misses,
                () -> {
                    a.movImm32(Gpr.SCRATCH, argument);
                    a.call(stub);
                    int found = a.jrcxzAhead();
                    remake.run();
                    block.exitRenewing(site);
                    a.bind8(found);
                    a.jmp(done);
                });
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

    private List<Integer> withFlags(Assembler a, int slot, int size, int alignment) {
        int slots = ProcessorBlock.slots(block.context()) + slot;
        a.loadState(Gpr.SCRATCH, slots + ProcessorBlock.SLOT_PAGE);
        a.op(true, 0x01, Gpr.ADDRESS, Gpr.SCRATCH); // add
        int miss;
        if (alignment > 1) {
            a.testImm(true, Gpr.SCRATCH, -4096 | alignment - 1);
            miss = a.jccAhead(5);
        } else {
            a.aluImm(true, 7, Gpr.SCRATCH, 4096 - size);
            miss = a.jccAhead(7);
        }
        a.memState(slots + ProcessorBlock.SLOT_DISTANCE);
        a.opMem(true, 0x03, Gpr.ADDRESS);
        return List.of(miss);
    }

    /**
     * A single access passes if it is aligned to its size, and so does not reach beyond the page;
     * others of its kind are the stub's.
     */
    private List<Integer> withoutFlags(
            Assembler a, int slot, int size, int alignment, boolean single) {
        int slots = ProcessorBlock.slots(block.context()) + slot;
        int page = slots + ProcessorBlock.SLOT_PAGE;
        int aligned = single ? Math.max(alignment, Integer.highestOneBit(2 * size - 1)) : 1;
        List<Integer> misses = new ArrayList<>();
        misses.add(missUnlessInside(a, page, 0, Math.min(aligned, 32)));
        if (!single || aligned > 32) {
            misses.add(missUnlessInside(a, page, size - 1, 1));
        }
        a.loadState(Gpr.SCRATCH, slots + ProcessorBlock.SLOT_DISTANCE);
        a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        return misses;
    }

    private static int missUnlessInside(Assembler a, int page, int beyond, int alignment) {
        a.loadState(Gpr.SCRATCH, page);
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, beyond + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        return a.loopFarAhead();
    }
}
