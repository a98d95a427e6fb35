package org.javisor.interpreter;

import java.util.Map;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Instruction;

/**
 * The run loop of one processor: blocks one after the other, and between them whatever else demands
 * {@link Attention}.
 *
 * <p>While something has to be looked at after every instruction (single step, the guest's own
 * breakpoints, the shadow of STI), {@link #careful} is set and instructions go one at a time. A
 * debugger's breakpoints only cut blocks short.
 */
final class InterpreterVcpu implements Vcpu {
    private final int index;
    private final CpuidTable cpuid;
    private final Cpu cpu;
    private final Mmu mmu;
    private final BlockDecoder decoder;
    private final BlockFinder finder;
    private final BlockRunner blocks;
    private final CodeRunner codeRunner;
    private final boolean hasRunner;
    private final Attention attention;
    private final EventDelivery events;
    private final DebugStops stops;
    private final Ports ports;
    private final TimeStampCounter timeStamp;

    /** While there is a replay: what it reads as the time, else null. */
    private ReplayedTime replayed;

    private final ParavirtualClock paravirtualClock;
    private final BusyTime busyTime = new BusyTime();
    private boolean careful;
    private String failure = "";

    InterpreterVcpu(InterpreterVm vm, int index, CpuidTable cpuid, VcpuIo io) {
        this.index = index;
        this.cpuid = cpuid;
        this.cpu = new Cpu(this, vm, io);
        this.mmu = cpu.mmu;
        this.cpu.extensions = new Extensions(cpuid);
        this.decoder =
                new BlockDecoder(
                        vm.memory(), vm.operations(), cpu.extensions, vm.hotInstructions());
        this.finder = new BlockFinder(cpu, vm.codeCache(), decoder);
        this.blocks = new BlockRunner(cpu);
        this.stops = new DebugStops(cpu);
        this.ports = new Ports(cpu, io);
        this.timeStamp = new TimeStampCounter(vm.clock(), cpu.msr);
        this.paravirtualClock = new ParavirtualClock(vm.memory(), vm.clock(), cpu);
        this.codeRunner = vm.runner(new GuestProcessor(this, cpu));
        this.hasRunner = codeRunner != CodeRunner.NONE;
        this.attention = new Attention(cpu, codeRunner);
        this.events = new EventDelivery(cpu, attention, stops, paravirtualClock);
        reset();
    }

    Cpu cpu() {
        return cpu;
    }

    CodeRunner codeRunner() {
        return codeRunner;
    }

    Attention attention() {
        return attention;
    }

    EventDelivery events() {
        return events;
    }

    Ports ports() {
        return ports;
    }

    TimeStampCounter timeStamp() {
        return timeStamp;
    }

    ParavirtualClock paravirtualClock() {
        return paravirtualClock;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public void connect(LocalInterruptController newController) {
        events.connect(newController);
    }

    // Pins, from any thread

    @Override
    public void interruptRequested() {
        attention.post(Attention.INTERRUPT);
    }

    @Override
    public void nmi() {
        attention.post(Attention.NMI);
    }

    @Override
    public void init() {
        // A start-up from before is void; one that follows must survive until INIT has been acted
        // on.
        attention.clear(Attention.STARTUP);
        attention.post(Attention.INIT);
    }

    @Override
    public void startUp(int vector) {
        events.startUp(vector);
    }

    @Override
    public void requestExit() {
        attention.post(Attention.EXIT);
    }

    private void updateCareful() {
        careful =
                events.shadowed()
                        || stops.needCare()
                        || cpu.flags.has(Flags.TF)
                        || cpu.debug.armed();
    }

    // Running

    @Override
    public ExitReason run() {
        attention.begin();
        busyTime.begin();
        stops.begin();
        events.updateMask();
        updateCareful();
        try {
            while (true) {
                if (stops.accessSeen()) {
                    return stopForDebugger();
                }
                if (attention.due()) {
                    if (attention.posted(Attention.SETTLE)) {
                        attention.clear(Attention.SETTLE);
                    }
                    if (attention.posted(Attention.EXIT)) {
                        attention.clear(Attention.EXIT);
                        return ExitReason.REQUESTED;
                    }
                    if (!events.shadowed()) {
                        events.take();
                    }
                }
                if (events.shutDown()) {
                    return ExitReason.SHUTDOWN;
                }
                if (!events.running()) {
                    busyTime.end();
                    events.sleep();
                    busyTime.begin();
                } else if (careful) {
                    if (step()) {
                        return stopForDebugger();
                    }
                } else if (stops.cutBlocks()) {
                    if (executeDebugged()) {
                        return stopForDebugger();
                    }
                } else {
                    execute();
                }
            }
        } catch (VirtualMachineError | RuntimeException e) {
            failure = "The interpreter failed at " + position() + ": " + e;
            throw e;
        } finally {
            busyTime.end();
            attention.end();
            events.end();
        }
    }

    private String position() {
        return Integer.toHexString(cpu.segments.selector[Cpu.CS]) + ":" + Long.toHexString(cpu.rip);
    }

    /** Whether nothing keeps the processor from running block after block. */
    private boolean undisturbed() {
        return !attention.due() && !careful && events.running();
    }

    /**
     * Runs blocks until an event, a fault that shuts the processor down, or a reason to go
     * carefully.
     */
    private void execute() {
        try {
            do {
                if (hasRunner && cpu.code64) {
                    codeRunner.run();
                } else {
                    blocks.run(finder.find());
                }
            } while (undisturbed());
        } catch (GuestFault fault) {
            raise(fault);
        }
    }

    /**
     * As {@link #execute}, up to breakpoints and watched accesses. True to leave to the debugger.
     */
    private boolean executeDebugged() {
        try {
            do {
                Block block = finder.find();
                int limit = stops.before(block, linearRip());
                if (limit == 0) {
                    return true;
                }
                blocks.run(block, limit);
            } while (!stops.accessSeen() && undisturbed());
        } catch (GuestFault fault) {
            raise(fault);
        }
        return stops.accessSeen();
    }

    /** The linear address of the next instruction. */
    long linearRip() {
        return cpu.code64 ? cpu.rip : cpu.rip + cpu.segments.base[Cpu.CS] & 0xffffffffL;
    }

    private ExitReason stopForDebugger() {
        stops.stopAt(linearRip());
        return ExitReason.DEBUG;
    }

    /** Whether the runner of code has to let the loop look around before the next instruction. */
    boolean demandsAttention() {
        return !undisturbed() || stops.cutBlocks() || !cpu.code64;
    }

    /** How an instruction is carried out on this processor. */
    Operation operation(Instruction i) {
        return decoder.operation(i);
    }

    /** One instruction, which begins at RIP. */
    void interpret(Instruction i, Operation operation) {
        blocks.run(i, operation);
    }

    /** The instruction at RIP, whatever it is, with whatever pages it lies on. */
    void interpretNext() {
        blocks.run(finder.find(), 1);
    }

    /** Carries out instructions of which a {@link Replay} takes back what they do. */
    void repeat(long count) {
        boolean shadowed = events.shadowed();
        try {
            blocks.repeat(finder, count);
        } finally {
            if (!shadowed) {
                events.endShadow();
            }
            updateCareful();
            events.updateMask();
        }
    }

    /** The instruction at RIP. */
    Instruction next() {
        return finder.find().instructions[0];
    }

    void raise(GuestFault fault) {
        events.raise(fault);
        updateCareful();
    }

    /**
     * One instruction, with everything that is looked at before and after it. True to leave to the
     * debugger.
     */
    private boolean step() {
        long linear = linearRip();
        if (stops.stopBefore(linear)) {
            return true;
        }
        stops.goOn();
        boolean trap = cpu.flags.has(Flags.TF);
        boolean resume = cpu.flags.has(Flags.RF);
        int execution = resume ? 0 : cpu.debug.matchesExecution(linear);
        if (execution != 0) {
            debugException(execution);
            return stops.singleStep();
        }
        events.endShadow();
        stops.forgetGuestHits();
        try {
            Block block = finder.find();
            trap &= !StackAccess.entersHandler(block.instructions[0].op);
            blocks.run(block, 1);
            if (resume) {
                cpu.flags.system &= ~Flags.RF;
            }
            // A trap that falls into the shadow of a load of SS waits for the instruction after it.
            int hits = stops.guestHits();
            if ((trap || hits != 0) && !events.shutDown()) {
                debugException(hits | (trap ? (int) DebugRegisters.DR6_BS : 0));
            }
        } catch (GuestFault fault) {
            raise(fault);
        }
        updateCareful();
        events.updateMask();
        return stops.accessSeen() || stops.singleStep();
    }

    private void debugException(int dr6Bits) {
        cpu.debug.dr6 = cpu.debug.dr6 & ~0xfL | dr6Bits;
        raise(GuestFault.of(GuestFault.DB));
    }

    // State

    @Override
    public void reset() {
        attention.clear(-1);
        stops.goOn();
        resetProcessor(false);
    }

    /** RESET, or INIT, which keeps the FPU and a few registers (Intel SDM vol. 3A, table 9-1). */
    void resetProcessor(boolean init) {
        VcpuState fresh = new VcpuState();
        if (init) {
            VcpuState now = StateTransfer.save(cpu, this);
            fresh.xsave = now.xsave;
            fresh.msrs.putAll(now.msrs);
            fresh.cr0 |= now.cr0 & (ControlRegisters.CR0_CD | ControlRegisters.CR0_NW);
            fresh.tscOffset = now.tscOffset;
        } else {
            paravirtualClock.reset();
        }
        fresh.activity =
                index == 0 ? VcpuState.Activity.RUNNING : VcpuState.Activity.WAITING_FOR_STARTUP;
        StateTransfer.restore(cpu, this, fresh, !init);
    }

    @Override
    public VcpuState state() {
        return StateTransfer.save(cpu, this);
    }

    @Override
    public void setState(VcpuState state) {
        StateTransfer.restore(cpu, this, state, false);
        stops.moved(linearRip());
    }

    /** The parts of a state that are not in {@link Cpu}. */
    void saveLoop(VcpuState state) {
        events.save(state);
        state.tscOffset = timeStamp.offset();
    }

    void restoreLoop(VcpuState state) {
        events.restore(state);
        timeStamp.setOffset(state.tscOffset);
        debugChanged();
        mmu.flushAll();
        codeSegmentChanged(cpu.cpl);
        unitsChanged();
        events.updateMask();
        attention.post(Attention.INTERRUPT);
    }

    @Override
    public long translate(long linear) {
        return mmu.walker().probe(linear);
    }

    // What handlers tell the loop

    /** CS or the mode changed: a new privilege level, another code size, other translations. */
    void codeSegmentChanged(int cpl) {
        cpu.cpl = cpl;
        int attributes = cpu.segments.attributes[Cpu.CS];
        cpu.code64 = cpu.control.longMode() && (attributes & Segments.LONG) != 0;
        CodeSize size =
                cpu.code64
                        ? CodeSize.BITS64
                        : (attributes & Segments.BIG) != 0 ? CodeSize.BITS32 : CodeSize.BITS16;
        mmu.updateContext();
        finder.enter(size);
        cpu.endBlock();
    }

    void leaveCodePage() {
        finder.leavePage();
        cpu.endBlock();
    }

    /** RFLAGS were replaced as a whole. */
    void flagsChanged() {
        events.updateMask();
        updateCareful();
        mmu.updateContext();
        cpu.endBlock();
    }

    void shadowInterrupts() {
        events.beginShadow();
        updateCareful();
        cpu.endBlock();
    }

    void halt() {
        events.halt();
        cpu.endBlock();
    }

    /** CR0 or CR4 changed what the FPU and SSE units may do. */
    void unitsChanged() {
        cpu.sseReady =
                (cpu.control.cr0 & (ControlRegisters.CR0_EM | ControlRegisters.CR0_TS)) == 0
                        && cpu.control.osFxsr();
        cpu.avxReady = cpu.sseReady && cpu.control.avxEnabled();
    }

    CpuidTable.Leaf cpuid(int function, int subleaf) {
        CpuidTable.Leaf leaf = cpuid.query(function, subleaf);
        return Identification.dynamic(leaf, cpu);
    }

    @Override
    public long tsc() {
        return timeStamp.now();
    }

    /** What RDTSC reads. */
    long readTimestamp() {
        return replayed == null ? timeStamp.now() : replayed.read();
    }

    /** From now on the time is what a runner has read. */
    void beginReplay(ReplayedTime time) {
        replayed = time;
    }

    void endReplay() {
        replayed = null;
    }

    // Debugging

    @Override
    public void setDebug(DebugRequest request) {
        stops.request(request);
        debugChanged();
    }

    /** DR7 or the debugger's wishes changed. */
    void debugChanged() {
        mmu.watchRanges(stops.watchedRanges());
        updateCareful();
        cpu.endBlock();
    }

    /** Whether a repeated instruction is to stop after each repetition. */
    boolean stepsThroughRepetitions() {
        return stops.singleStep() || cpu.flags.has(Flags.TF);
    }

    DebugStops stops() {
        return stops;
    }

    @Override
    public long debugAddress() {
        return stops.reported();
    }

    @Override
    public String failure() {
        return failure;
    }

    // Figures

    long instructions() {
        return blocks.instructions() + codeRunner.instructions();
    }

    long runNanos() {
        return busyTime.nanos();
    }

    void count(Map<String, Long> counters) {
        codeRunner.count(counters);
        if (hasRunner) {
            counters.merge("interpreted", blocks.instructions(), Long::sum);
        }
        mmu.count(counters);
        counters.merge("exits.port", ports.accesses(), Long::sum);
        counters.merge("exits.halt", events.halts(), Long::sum);
        counters.merge("interrupts.external", events.injected(), Long::sum);
        counters.merge("exceptions.page-fault", events.delivered(GuestFault.PF), Long::sum);
    }
}
