package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.EngineStatistics;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.WriteObserver;

/** One machine's processors, and the decoded code they share. */
final class InterpreterVm implements Vm, WriteObserver {
    /** One tick a nanosecond: the machine's clock is the TSC. */
    static final long TSC_FREQUENCY = 1_000_000_000L;

    private final GuestMemory memory;
    private final Clock clock;
    private final CodeCache codeCache;
    private final List<InterpreterVcpu> vcpus = new ArrayList<>();
    private final Object splitLock = new Object();
    private boolean multiprocessor;

    private final Operations operations;
    private final int hotInstructions;

    private final Function<GuestProcessor, CodeRunner> runners;
    private final Runnable onClose;

    InterpreterVm(GuestMemory memory, Clock clock) {
        this(memory, clock, new Operations(), Block.HOT_INSTRUCTIONS);
    }

    InterpreterVm(GuestMemory memory, Clock clock, Operations operations, int hotInstructions) {
        this(memory, clock, operations, hotInstructions, processor -> CodeRunner.NONE, () -> {});
    }

    /**
     * @param hotInstructions see {@link Block}
     * @param runners makes what runs a processor's 64-bit code
     * @param onClose what the runners share is no longer needed
     */
    InterpreterVm(
            GuestMemory memory,
            Clock clock,
            Operations operations,
            int hotInstructions,
            Function<GuestProcessor, CodeRunner> runners,
            Runnable onClose) {
        this.runners = runners;
        this.onClose = onClose;
        this.memory = memory;
        this.operations = operations;
        this.hotInstructions = hotInstructions;
        this.clock = clock;
        this.codeCache = new CodeCache(memory);
        memory.observeWrites(this);
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public long tscFrequency() {
        return TSC_FREQUENCY;
    }

    @Override
    public Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io) {
        InterpreterVcpu vcpu = new InterpreterVcpu(this, index, cpuid, io);
        vcpus.add(vcpu);
        multiprocessor = vcpus.size() > 1;
        return vcpu;
    }

    CodeRunner runner(GuestProcessor processor) {
        return runners.apply(processor);
    }

    Clock clock() {
        return clock;
    }

    Operations operations() {
        return operations;
    }

    int hotInstructions() {
        return hotInstructions;
    }

    CodeCache codeCache() {
        return codeCache;
    }

    boolean multiprocessor() {
        return multiprocessor;
    }

    /** Held for locked operations that no single host instruction can do. */
    Object splitLock() {
        return splitLock;
    }

    /**
     * Waits until every store that another processor may have begun is done, and reported if need
     * be. Whoever has taken away rights to write without notice calls it before relying on that.
     *
     * @param waiter the processor whose thread calls, between its own accesses
     */
    void awaitStores(InterpreterVcpu waiter) {
        if (!multiprocessor) {
            return;
        }
        // Two that wait for each other shall not do so for ever; and the rights are taken away
        // before anybody is asked.
        waiter.attention().enterDevice();
        VarHandle.fullFence();
        for (InterpreterVcpu vcpu : vcpus) {
            if (vcpu != waiter) {
                vcpu.attention().askToSettle();
            }
        }
        for (InterpreterVcpu vcpu : vcpus) {
            if (vcpu != waiter) {
                vcpu.attention().awaitSettled();
            }
        }
        waiter.attention().leaveDevice();
    }

    @Override
    public boolean codeChanged(long gpa, int length) {
        codeCache.drop(gpa & -GuestMemory.PAGE_SIZE);
        return false;
    }

    @Override
    public void codeWritten(long pageGpa) {
        codeCache.drop(pageGpa);
    }

    @Override
    public void writesTracked(long pageGpa) {
        for (InterpreterVcpu vcpu : vcpus) {
            vcpu.cpu().mmu.revokeWrites(pageGpa);
        }
    }

    @Override
    public EngineStatistics statistics() {
        SortedMap<String, Long> counters = new TreeMap<>();
        long instructions = 0;
        long runNanos = 0;
        for (InterpreterVcpu vcpu : vcpus) {
            instructions += vcpu.instructions();
            runNanos += vcpu.runNanos();
            vcpu.count(counters);
        }
        return new EngineStatistics(instructions, runNanos, counters);
    }

    @Override
    public void close() {
        memory.removeObserver(this);
        onClose.run();
    }
}
