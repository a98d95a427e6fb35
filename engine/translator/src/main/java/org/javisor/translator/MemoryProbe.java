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
    /** Instructions that the form with flags saves. */
    private static final int SLOT_SAVING = 1, LOOKUP_SAVING = 3;

    private final BlockTranslator block;
    private int nextRead;
    private int nextWrite;

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

    /** It lies a displacement from what a host register holds. */
    private record Near(Assembler a, int register, int displacement) implements Linear {
        @Override
        public void compute() {
            a.lea(Gpr.ADDRESS, register, displacement);
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
        int key = alignment == 1 ? AccessGroups.keyOf(i) : AccessGroups.NO_KEY;
        if (key == AccessGroups.NO_KEY) {
            block.groups().end();
            return emit(linear(i, 0), size, write, alignment, null, 1, scratchFree);
        }
        int disp = (int) i.disp;
        return grouped(key, disp, size, write, low -> linear(i, low - disp), scratchFree);
    }

    private Linear linear(Instruction i, int farther) {
        int after = block.next();
        if (Addresses.nearRegister(i)) {
            return new Near(block.asm, Gpr.host(i.base), (int) i.disp + farther);
        }
        return new Computed(() -> block.addresses().linear(i, after, farther));
    }

    /** The same for 8 bytes of the stack. */
    int stack(int disp, boolean write) {
        return stack(disp, write, false).displacement();
    }

    HostAddress stack(int disp, boolean write, boolean scratchFree) {
        return grouped(
                AccessGroups.stackKey(),
                disp,
                8,
                write,
                low -> new Near(block.asm, Gpr.RSP, low),
                scratchFree);
    }

    private HostAddress grouped(
            int key,
            int disp,
            int size,
            boolean write,
            IntFunction<Linear> start,
            boolean scratchFree) {
        AccessGroups groups = block.groups();
        int known = groups.displacement(key, disp, size, write);
        if (known != AccessGroups.NOT_COVERED) {
            return HostAddress.whole(known);
        }
        int accesses = block.planGroup(key, disp, write);
        if (accesses == 1) {
            boolean once = scratchFree && !groups.usefulLater();
            HostAddress found = emit(start.apply(disp), size, write, 1, null, 1, once);
            if (found.index() == Assembler.NONE) {
                groups.begin();
            } else {
                groups.end();
            }
            return found;
        }
        int low = groups.low();
        AccessGroup group = new AccessGroup(disp - low, size, write);
        emit(start.apply(low), groups.span(), groups.writes(), 1, group, accesses, false);
        groups.begin();
        return HostAddress.whole(disp - low);
    }

    /**
     * Emits a probe for an access on its own; its host address is then in {@link Gpr#ADDRESS}.
     *
     * @param address puts the linear address there, using {@link Gpr#SCRATCH} and no flags
     */
    void emit(Runnable address, int size, boolean write, int alignment) {
        block.groups().end();
        emit(new Computed(address), size, write, alignment, null, 1, false);
    }

    private HostAddress emit(
            Linear linear,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            int accesses,
            boolean scratchFree) {
        int span = Stubs.span(size);
        if (span != 0 && !block.busy()) {
            call(linear, span, write, alignment, group);
            return HostAddress.whole(0);
        }
        boolean bySlot = slotRepays();
        boolean mayClobber =
                block.flags().allowSpoiling(accesses, bySlot ? SLOT_SAVING : LOOKUP_SAVING);
        block.retryHere();
        if (bySlot) {
            return bySlot(linear, size, write, alignment, group, mayClobber, scratchFree);
        }
        return byLookup(linear, size, write, alignment, group, mayClobber, scratchFree);
    }

    private void call(Linear linear, int span, boolean write, int alignment, AccessGroup group) {
        Assembler a = block.asm;
        block.retryHere();
        linear.compute();
        a.movImm32(Gpr.SCRATCH, block.sites().access(write, span, alignment, group));
        a.call(block.accessStub(write, span, alignment));
    }

    private HostAddress byLookup(
            Linear linear,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            boolean mayClobber,
            boolean scratchFree) {
        Assembler a = block.asm;
        linear.compute();
        int site = block.sites().access(write, size, alignment, group);
        TlbLookup lookup = new TlbLookup(a, block.context(), size, write, alignment);
        int miss = mayClobber ? lookup.withFlags() : lookup.withoutFlags();
        Runnable remake = block.flags().remake();
        block.cold(
                List.of(miss),
                () -> {
                    if (mayClobber) {
                        linear.compute();
                    }
                    remake.run();
                    block.exit(site, ExitReason.MEMORY);
                });
        if (mayClobber) {
            return HostAddress.whole(0);
        }
        if (scratchFree) {
            return new HostAddress(Gpr.ADDRESS, Gpr.SCRATCH, 0);
        }
        a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        return HostAddress.whole(0);
    }

    private HostAddress bySlot(
            Linear linear,
            int size,
            boolean write,
            int alignment,
            AccessGroup group,
            boolean mayClobber,
            boolean scratchFree) {
        Assembler a = block.asm;
        int slot = nextSlot(write);
        if (block.onTrial()) {
            count(a, slot);
        }
        int register = Gpr.ADDRESS;
        int displacement = 0;
        if (linear instanceof Near near) {
            register = near.register;
            displacement = near.displacement;
        } else {
            linear.compute();
        }
        int site = block.sites().access(write, size, alignment, slot, group);
        List<Integer> misses =
                mayClobber
                        ? withFlags(a, slot, register, displacement, size, alignment)
                        : withoutFlags(
                                a, slot, register, displacement, size, alignment, group == null);
        long inside = a.here();
        a.memState(ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_DISTANCE + slot);
        HostAddress found = HostAddress.whole(0);
        if (!scratchFree && mayClobber && register == Gpr.ADDRESS) {
            a.opMem(true, 0x03, Gpr.ADDRESS); // add
        } else {
            a.loadMem(Gpr.SCRATCH);
            HostAddress sum = new HostAddress(register, Gpr.SCRATCH, displacement);
            if (scratchFree) {
                found = sum;
            } else {
                sum.set(a);
                a.leaMem(Gpr.ADDRESS);
            }
        }
        long done = a.here();
        boolean again = scratchFree && register == Gpr.ADDRESS;
        Runnable remake = block.flags().remake();
        int beyond = alignment > 1 ? 0 : size - 1;
        int argument = beyond << 16 | ProcessorBlock.SLOT_PAGE + slot;
        long stub = block.renewSlot(write, alignment);
        block.cold(
                misses,
                () -> {
                    if (linear instanceof Near) {
                        linear.compute();
                    }
                    a.movImm32(Gpr.SCRATCH, argument);
                    a.call(stub);
                    int renewed = a.jrcxzAhead();
                    remake.run();
                    block.exitRenewing(site);
                    a.bind8(renewed);
                    if (again) {
                        linear.compute();
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

    private List<Integer> withFlags(
            Assembler a, int slot, int register, int displacement, int size, int alignment) {
        a.loadState(
                Gpr.SCRATCH,
                ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_PAGE + slot);
        if (displacement == 0) {
            a.op(true, 0x01, register, Gpr.SCRATCH); // add
        } else {
            a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, register, displacement);
        }
        if (alignment > 1) {
            a.testImm(true, Gpr.SCRATCH, -4096 | alignment - 1);
            return List.of(a.jccAhead(5));
        }
        a.aluImm(true, 7, Gpr.SCRATCH, 4096 - size);
        return List.of(a.jccAhead(7));
    }

    /**
     * A single access passes if it is aligned to its size, and so does not reach beyond the page;
     * others of its kind are the stub's.
     */
    private List<Integer> withoutFlags(
            Assembler a,
            int slot,
            int register,
            int displacement,
            int size,
            int alignment,
            boolean single) {
        int page = ProcessorBlock.slots(block.context()) + ProcessorBlock.SLOT_PAGE + slot;
        int aligned = single ? Math.max(alignment, Integer.highestOneBit(2 * size - 1)) : 1;
        List<Integer> misses = new ArrayList<>();
        misses.add(missUnlessInside(a, page, register, displacement, Math.min(aligned, 32)));
        if (!single || aligned > 32) {
            misses.add(missUnlessInside(a, page, register, displacement + size - 1, 1));
        }
        return misses;
    }

    private static int missUnlessInside(
            Assembler a, int page, int register, int displacement, int alignment) {
        a.loadState(Gpr.SCRATCH, page);
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, register, displacement + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        return a.loopFarAhead();
    }
}
