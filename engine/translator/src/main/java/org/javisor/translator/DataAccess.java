package org.javisor.translator;

import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.memory.GuestMemory;

/** Answers the accesses that translated code finds no page for, and takes rights away again. */
final class DataAccess {
    private static final long PAGE = -4096;
    private final GuestProcessor processor;
    private final TranslationCache cache;
    private final GuestMemory memory;
    private final ProcessorBlock state;
    private final AddressTables tables;

    /** What compares with the interpreter, and so has to know of writes, if anything does. */
    private final Optional<Lockstep> lockstep;

    private final boolean verifying;

    private final WritablePlaces places;

    /** The contexts with pages that were entered for writing, one bit each. Read by others. */
    private int contextsWriting;

    /** The access looked at last has a page fault. */
    private boolean faulted;

    /** Slots may hold a page that is no longer to be written; looked at before code is entered. */
    private volatile boolean slotsRevoked;

    DataAccess(
            GuestProcessor processor,
            TranslationCache cache,
            ProcessorBlock state,
            AddressTables tables,
            WritablePlaces places,
            Optional<Lockstep> lockstep) {
        this.processor = processor;
        this.cache = cache;
        this.memory = processor.memory();
        this.state = state;
        this.tables = tables;
        this.places = places;
        this.lockstep = lockstep;
        this.verifying = lockstep.isPresent();
    }

    /** Whether it was a page fault for which {@link #admit} refused the last access. */
    boolean faulted() {
        return faulted;
    }

    /** Before code is entered, when who revokes can see that it is about to be. */
    void applyRevocation() {
        if (slotsRevoked) {
            slotsRevoked = false;
            tables.forgetSlots();
        }
    }

    /** Lets an access or a group of them pass; false if the access is the interpreter's. */
    boolean admit(int context, long linear, Site site) {
        faulted = false;
        AccessGroup group = site.group();
        if (group == null) {
            return translate(context, linear, site.size(), site.alignment(), site.write());
        }
        if (!translate(context, linear + group.delta, group.size, group.alignment, group.write)) {
            return false;
        }
        int index = ProcessorBlock.tlbIndex(linear);
        boolean whole =
                (linear & ~PAGE) + site.size() <= 4096 && (linear & site.alignment() - 1) == 0;
        if (whole && (!site.write() || state.tlbWritable(context, index))) {
            return true;
        }
        if (++group.failures > AccessGroup.PATIENCE) {
            cache.ungroup(site.block(), site.offset());
        }
        return false;
    }

    /** Enters a page into the TLB; false if the access is the interpreter's. */
    private boolean translate(int context, long linear, int size, int alignment, boolean write) {
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
            contextsWriting |= 1 << context;
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
            places.note(gpa, ProcessorBlock.tlbIndex(linear));
            if (memory.isTracked(gpa)) {
                state.clearTlbWrite(context, ProcessorBlock.tlbIndex(linear));
                writable = false;
            }
        }
        return writable || !write;
    }

    void revokeWrites(long pageGpa) {
        long found = pageGpa == -1 ? WritablePlaces.ANYWHERE : places.take(pageGpa);
        if (found == WritablePlaces.NOWHERE) {
            return;
        }
        long host = pageGpa == -1 ? -1 : memory.hostAddress(pageGpa);
        for (int c = 0; c < Context.COUNT; c++) {
            if ((contextsWriting & 1 << c) == 0) {
                continue;
            }
            if (found == WritablePlaces.ANYWHERE) {
                for (int n = 0; n < ProcessorBlock.TLB_ENTRIES; n++) {
                    revoke(c, n, host);
                }
            } else {
                revoke(c, WritablePlaces.first(found), host);
                if (WritablePlaces.second(found) >= 0) {
                    revoke(c, WritablePlaces.second(found), host);
                }
            }
        }
        // Not before: a processor that enters code meanwhile would forget its slots and fill them
        // again from the TLB.
        slotsRevoked = true;
    }

    /**
     * @param host that of the page, or -1 for any
     */
    private void revoke(int context, int index, long host) {
        if (host == -1 || state.tlbHost(context, index) == host) {
            state.clearTlbWrite(context, index);
        }
    }
}
