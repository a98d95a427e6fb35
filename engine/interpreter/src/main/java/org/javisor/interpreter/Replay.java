package org.javisor.interpreter;

import java.util.Optional;
import java.util.function.Consumer;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;
import org.javisor.x86.Instruction;

/**
 * Carries out once more, in the interpreter, what a {@link CodeRunner} has carried out, from the
 * same state and over copies of the pages that the runner has written, so that both results can be
 * compared. For the processor's own thread, and machines of one processor.
 *
 * <p>The runner calls {@link #begin} before a stretch, {@link #writing} before it first writes to a
 * page in it, and {@link #carryOut} after it, as often as it likes. What it does between stretches
 * is not seen, nor are the accessed and dirty bits of page tables, which both sides set for real.
 */
public final class Replay {
    /** Accessed, dirty. */
    private static final long MARKS = 0x60;

    private final InterpreterVcpu vcpu;
    private final Cpu cpu;
    private final Mmu mmu;
    private final GuestMemory memory;
    private final RegisterSnapshot start = new RegisterSnapshot();
    private final ReplayPages pages = new ReplayPages();
    private final ReplayedTime time = new ReplayedTime();
    private long reports;
    private long marks;

    Replay(InterpreterVcpu vcpu, Cpu cpu, Mmu mmu) {
        this.vcpu = vcpu;
        this.cpu = cpu;
        this.mmu = mmu;
        this.memory = mmu.memory();
        memory.countReports();
    }

    /** A stretch begins at the processor's state as the interpreter has it. */
    public void begin() {
        start.take(cpu);
        pages.clear();
        time.clear();
        reports = memory.reports();
        marks = mmu.walker().marks();
    }

    /**
     * A page is about to be written for the first time in the stretch.
     *
     * @param gpa of the page
     * @param host where it lies
     * @return pages that have been written so far
     */
    public int writing(long gpa, long host) {
        pages.add(gpa, host);
        return pages.count();
    }

    /** The runner has read the time; carried out again, the same place reads it again. */
    public void timestamp(long ticks) {
        time.add(ticks);
    }

    /**
     * Whether a device has written to memory since the stretch began: then the interpreter may have
     * read something else than the runner did.
     */
    public boolean disturbed() {
        return memory.reports() - reports != mmu.walker().marks() - marks;
    }

    /** Makes registers and memory what they were when the stretch began. */
    public void undo() {
        start.putBack(cpu);
        pages.restore();
    }

    /**
     * Carries out instructions from the beginning of the stretch on; the processor's registers are
     * the result.
     *
     * @return what stood in the way, to be read behind "the interpreter", or empty
     */
    public Optional<String> carryOut(long instructions) {
        long cr2 = cpu.control.cr2;
        start.putBack(cpu);
        // The runner may have found a page fault that the guest is yet to get.
        cpu.control.cr2 = cr2;
        pages.prepare();
        time.rewind();
        return carryOn(instructions);
    }

    /** As above, looking at each instruction before it is carried out. */
    public Optional<String> carryOut(long instructions, Consumer<Instruction> observer) {
        Optional<String> obstacle = carryOut(0);
        for (long n = 0; n < instructions && obstacle.isEmpty(); n++) {
            obstacle = guarded(() -> observer.accept(vcpu.next()));
            if (obstacle.isEmpty()) {
                obstacle = carryOn(1);
            }
        }
        return obstacle;
    }

    /**
     * Carries out so many repetitions of the string instruction at RIP and leaves RIP there: what
     * the runner has done of one that it has not finished.
     */
    public Optional<String> repetitions(long count) {
        long rip = cpu.rip;
        long left = cpu.gpr[Cpu.RCX] - count;
        cpu.gpr[Cpu.RCX] = count;
        Optional<String> obstacle = carryOn(1);
        cpu.gpr[Cpu.RCX] = left;
        cpu.rip = rip;
        return obstacle;
    }

    /** The instruction at RIP, if it can be fetched. */
    public Optional<Instruction> next() {
        Instruction[] found = new Instruction[1];
        Optional<String> obstacle = guarded(() -> found[0] = vcpu.next());
        return obstacle.isEmpty() ? Optional.of(found[0]) : Optional.empty();
    }

    private Optional<String> carryOn(long instructions) {
        long cr2 = cpu.control.cr2;
        mmu.beginReplay(pages);
        vcpu.beginReplay(time);
        try {
            return guarded(() -> vcpu.repeat(instructions));
        } finally {
            vcpu.endReplay();
            mmu.endReplay();
            cpu.control.cr2 = cr2;
        }
    }

    private Optional<String> guarded(Runnable action) {
        try {
            action.run();
            return Optional.empty();
        } catch (GuestFault fault) {
            return Optional.of(
                    "raises exception %d (error code %x) at %x"
                            .formatted(fault.vector, fault.errorCode, cpu.rip));
        } catch (ReplayFailure failure) {
            return Optional.of(failure.getMessage() + " before %x".formatted(cpu.rip));
        }
    }

    // The state the stretch began with

    public long startRip() {
        return start.rip();
    }

    public long startRegister(int n) {
        return start.register(n);
    }

    /** RFLAGS. */
    public int startFlags() {
        return start.flags();
    }

    // Memory

    /** Whether the pages that the runner wrote hold what the interpreter made of them. */
    public boolean memoryAgrees() {
        boolean marked = mmu.walker().marks() != marks;
        for (int n = 0; n < pages.count(); n++) {
            long host = pages.host(n);
            long copy = pages.copy(n);
            if (RawMemory.mismatch(host, copy, GuestMemory.PAGE_SIZE) != -1
                    && !(marked && differsInMarks(host, copy))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether all that differs are accessed and dirty bits of entries of page tables: the two sides
     * need not walk them at the same time.
     */
    private static boolean differsInMarks(long one, long other) {
        for (int at = 0; at < GuestMemory.PAGE_SIZE; at += 8) {
            long entry = RawMemory.getLong(one + at);
            long difference = entry ^ RawMemory.getLong(other + at);
            if (difference != 0 && ((difference & ~MARKS) != 0 || (entry & 1) == 0)) {
                return false;
            }
        }
        return true;
    }

    /** 8 bytes of guest memory that differ, at their guest-physical address. */
    public record Difference(long gpa, long before, long runner, long interpreter) {}

    /** Tells of differences in memory, at most so many. */
    public void differences(int most, Consumer<Difference> listener) {
        int told = 0;
        for (int n = 0; n < pages.count(); n++) {
            for (int at = 0; at < GuestMemory.PAGE_SIZE && told < most; at += 8) {
                long runner = RawMemory.getLong(pages.host(n) + at);
                long interpreter = RawMemory.getLong(pages.copy(n) + at);
                if (runner != interpreter) {
                    told++;
                    listener.accept(
                            new Difference(
                                    pages.gpa(n) + at,
                                    RawMemory.getLong(pages.before(n) + at),
                                    runner,
                                    interpreter));
                }
            }
        }
    }
}
