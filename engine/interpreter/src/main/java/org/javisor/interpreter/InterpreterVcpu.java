package org.javisor.interpreter;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
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
 * attention.
 *
 * <p>Other threads leave a bit in {@link #events} and wake the runner. The loop looks at that word
 * after every block, masked by what the processor would act on now, so that an interrupt held off
 * by IF=0 costs nothing. While something has to be looked at after every instruction (single step,
 * the guest's own breakpoints, the shadow of STI), {@link #careful} is set and instructions go one
 * at a time. A debugger's breakpoints only cut blocks short.
 */
final class InterpreterVcpu implements Vcpu {
    private static final int INTERRUPT = 1, NMI = 2, INIT = 4, STARTUP = 8, EXIT = 16;

    /** Somebody waits for this processor to come to the end of an instruction. */
    private static final int SETTLE = 32;

    private static final int SPINS = 1000;
    private static final long PAUSE_NANOS = 20_000;

    private static final long PAGE = -4096;

    private static final VarHandle EVENTS;

    static {
        try {
            EVENTS =
                    MethodHandles.lookup()
                            .findVarHandle(InterpreterVcpu.class, "events", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final InterpreterVm vm;
    private final int index;
    private final CpuidTable cpuid;
    private final VcpuIo io;
    private final Mmu mmu;
    private final Cpu cpu;
    private final Interrupts interrupts;
    private final BlockDecoder decoder;
    private final ParavirtualClock paravirtualClock;
    private final CodeRunner codeRunner;
    private final boolean hasRunner;
    private LocalInterruptController controller = NoController.INSTANCE;

    // Attention
    private volatile int events;
    private volatile int startupVector;
    private volatile Thread runner;

    /** The runner is in the middle of no access to guest memory, and begins none. */
    private volatile boolean settled = true;

    private int eventMask;
    private VcpuState.Activity activity;
    private boolean shadow;
    private boolean nmiBlocked;
    private boolean careful;

    // Where execution is
    private CodeSize codeSize = CodeSize.BITS16;
    private CodePage page;

    /** Linear address of {@link #page}. */
    private long pageLinear;

    // Debugging
    private DebugRequest debugRequest = DebugRequest.NONE;

    /** Where the debugger wants to stop, in ascending order, and the pages of these addresses. */
    private long[] breakpoints = {};

    private long[] breakpointPages = {};

    /** Blocks have to be run with an eye on breakpoints and watched accesses. */
    private boolean debugged;

    /** The debugger knows that the processor stands at {@link #passedAddress}: it is to go on. */
    private boolean passing;

    private long passedAddress;
    private int debugHits;
    private long watchHit = -1;
    private long debugAddress = -1;
    private String failure = "";

    private long tscOffset;
    private final HostSchedule hostSchedule = new HostSchedule();

    // Figures
    private long instructions;
    private volatile long runNanos;
    private volatile long busySince;
    private volatile boolean busy;
    private long ports;
    private long halts;
    private long injected;

    InterpreterVcpu(InterpreterVm vm, int index, CpuidTable cpuid, VcpuIo io) {
        this.vm = vm;
        this.index = index;
        this.cpuid = cpuid;
        this.io = io;
        this.mmu = new Mmu(vm, io);
        this.cpu = new Cpu(this, mmu);
        mmu.attach(cpu);
        this.interrupts = new Interrupts(cpu);
        Extensions extensions = new Extensions(cpuid);
        this.cpu.extensions = extensions;
        this.decoder = new BlockDecoder(vm.memory(), extensions, vm.hotInstructions());
        this.paravirtualClock = new ParavirtualClock(vm.memory(), vm.clock(), cpu);
        this.codeRunner = vm.runner(new GuestProcessor(this, cpu, mmu));
        this.hasRunner = codeRunner != CodeRunner.NONE;
        reset();
    }

    Cpu cpu() {
        return cpu;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public void connect(LocalInterruptController newController) {
        controller = newController;
    }

    // Pins, from any thread

    @Override
    public void interruptRequested() {
        post(INTERRUPT);
    }

    @Override
    public void nmi() {
        post(NMI);
    }

    @Override
    public void init() {
        // A start-up from before is void; one that follows must survive until INIT has been acted
        // on.
        clear(STARTUP);
        post(INIT);
    }

    @Override
    public void startUp(int vector) {
        startupVector = vector;
        post(STARTUP);
    }

    @Override
    public void requestExit() {
        post(EXIT);
    }

    private void post(int event) {
        int before = (int) EVENTS.getAndBitwiseOr(this, event);
        if ((before & event) == 0) {
            codeRunner.attention();
            Thread thread = runner;
            if (thread == Thread.currentThread()) {
                // By an access of this very instruction: the next one comes after the event.
                cpu.endBlock();
            } else if (thread != null) {
                LockSupport.unpark(thread);
            }
        }
    }

    private void clear(int event) {
        int ignored = (int) EVENTS.getAndBitwiseAnd(this, ~event);
    }

    /** From another processor's thread, which then waits. */
    void askToSettle() {
        if (!settled) {
            post(SETTLE);
        }
    }

    /** Waits until the instruction of this processor's is over that was under way when asked. */
    void awaitSettled() {
        for (int n = 0; !settled && (events & SETTLE) != 0; n++) {
            if (n < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /** The runner is about to be busy elsewhere, for as long as that takes. */
    void enterDevice() {
        if (mmu.sharedMemory()) {
            settled = true;
        }
    }

    void leaveDevice() {
        if (mmu.sharedMemory()) {
            settled = false;
        }
    }

    private void updateEventMask() {
        int mask = INIT | EXIT | SETTLE;
        if (activity == VcpuState.Activity.WAITING_FOR_STARTUP) {
            mask |= STARTUP;
        } else {
            boolean held =
                    debugRequest.holdInterrupts()
                            || passing
                                    && !debugRequest.singleStep()
                                    && activity == VcpuState.Activity.RUNNING;
            if (!nmiBlocked && !held) {
                mask |= NMI;
            }
            if (cpu.flags.has(Flags.IF) && !held) {
                mask |= INTERRUPT;
            }
        }
        eventMask = mask;
    }

    private void updateCareful() {
        careful =
                shadow
                        || passing
                        || cpu.flags.has(Flags.TF)
                        || debugRequest.singleStep()
                        || cpu.debug.armed();
    }

    // Running

    @Override
    public ExitReason run() {
        runner = Thread.currentThread();
        settled = false;
        busySince = System.nanoTime();
        busy = true;
        watchHit = -1;
        debugAddress = -1;
        updateEventMask();
        updateCareful();
        try {
            while (true) {
                if (watchHit != -1) {
                    return stopForDebugger();
                }
                if ((events & eventMask) != 0) {
                    if ((events & SETTLE) != 0) {
                        clear(SETTLE);
                    }
                    if ((events & EXIT) != 0) {
                        clear(EXIT);
                        return ExitReason.REQUESTED;
                    }
                    if (!shadow) {
                        takeEvents();
                    }
                }
                if (activity == VcpuState.Activity.SHUTDOWN) {
                    return ExitReason.SHUTDOWN;
                }
                if (activity != VcpuState.Activity.RUNNING) {
                    noteIdle();
                    sleep();
                    busySince = System.nanoTime();
                    busy = true;
                } else if (careful) {
                    if (step()) {
                        return stopForDebugger();
                    }
                } else if (debugged) {
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
            noteIdle();
            settled = true;
            runner = null;
            hostSchedule.close();
        }
    }

    private void noteIdle() {
        if (busy) {
            busy = false;
            runNanos += System.nanoTime() - busySince;
        }
    }

    private String position() {
        return Integer.toHexString(cpu.segments.selector[Cpu.CS]) + ":" + Long.toHexString(cpu.rip);
    }

    private void sleep() {
        halts++;
        settled = true;
        while ((events & eventMask) == 0) {
            LockSupport.park(this);
        }
        settled = false;
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
                    continue;
                }
                Block block = block();
                // Between processors the order of accesses counts, and within one method HotSpot
                // may
                // change it; across calls that it does not see through, it cannot.
                Run[] runs = mmu.sharedMemory() ? Block.NOT_HOT : block.runs();
                if (runs.length != 0) {
                    runHot(block, runs);
                } else {
                    runBlock(block, block.operations.length);
                }
            } while ((events & eventMask) == 0
                    && !careful
                    && activity == VcpuState.Activity.RUNNING);
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
                Block block = block();
                int limit = beforeBreakpoint(block);
                if (limit == 0) {
                    return true;
                }
                runBlock(block, limit);
            } while ((events & eventMask) == 0
                    && !careful
                    && watchHit == -1
                    && activity == VcpuState.Activity.RUNNING);
        } catch (GuestFault fault) {
            raise(fault);
        }
        return watchHit != -1;
    }

    /** How many instructions of the block at RIP come before one with a breakpoint. */
    private int beforeBreakpoint(Block block) {
        Instruction[] decoded = block.instructions;
        long linear = linearRip();
        if (Arrays.binarySearch(breakpointPages, linear & PAGE) >= 0) {
            for (int n = 0; n < decoded.length; n++) {
                if (stopsAt(linear)) {
                    return n;
                }
                linear += decoded[n].length;
            }
        }
        return decoded.length;
    }

    /** The linear address of the next instruction. */
    private long linearRip() {
        return cpu.code64 ? cpu.rip : cpu.rip + cpu.segments.base[Cpu.CS] & 0xffffffffL;
    }

    private ExitReason stopForDebugger() {
        debugAddress = watchHit;
        passing = true;
        passedAddress = linearRip();
        return ExitReason.DEBUG;
    }

    /** The block at RIP. */
    private Block block() {
        long linear = cpu.rip;
        long room = Long.MAX_VALUE;
        if (!cpu.code64) {
            linear = linear + cpu.segments.base[Cpu.CS] & 0xffffffffL;
            room = cpu.segments.limit[Cpu.CS] - cpu.rip + 1;
            if (room <= 0) {
                throw GuestFault.gp0();
            }
        }
        CodePage current = page;
        if (current == null || !current.valid || (linear & PAGE) != pageLinear) {
            current = mmu.fetch(linear);
            page = current;
            pageLinear = linear & PAGE;
        }
        int offset = (int) linear & 0xfff;
        Block block = current.blocks[offset];
        if (block == null || block.second != null) {
            block = prepare(current, offset, linear, block);
        }
        return room < Block.LONGEST ? block.within(room) : block;
    }

    private Block prepare(CodePage current, int offset, long linear, Block known) {
        if (known == null) {
            Block block = decoder.decode(current, offset);
            if (block != null) {
                current.blocks[offset] = block;
                vm.codeCache().added(block);
                return block;
            }
        }
        CodePage second = mmu.fetch((linear & PAGE) + 4096);
        if (known != null && known.second == second) {
            return known;
        }
        Block block = decoder.decodeStraddling(current, offset, second);
        current.blocks[offset] = block;
        vm.codeCache().added(block);
        return block;
    }

    private void runHot(Block block, Run[] runs) {
        Cpu c = cpu;
        c.blockEnd = block.operations.length;
        long start = c.rip;
        int n = 0;
        try {
            for (Run run : runs) {
                n += run.execute(c);
                if (c.blockEnd == 0) {
                    break;
                }
            }
        } catch (GuestFault fault) {
            n = block.indexEndingAt(c.rip - start);
            faulted(block.instructions[n], fault);
        } finally {
            instructions += n;
        }
    }

    /** Whether the runner of code has to let the loop look around before the next instruction. */
    boolean demandsAttention() {
        return (events & eventMask) != 0
                || careful
                || debugged
                || !cpu.code64
                || activity != VcpuState.Activity.RUNNING;
    }

    /** Whether an event is posted, be it held off at the moment. */
    boolean eventPosted() {
        return events != 0;
    }

    /** How an instruction is carried out on this processor. */
    Operation operation(Instruction i) {
        return Operations.of(decoder.select(i));
    }

    /** One instruction, which begins at RIP. */
    void interpret(Instruction i, Operation operation) {
        Cpu c = cpu;
        c.blockEnd = 1;
        c.rip += i.length;
        try {
            operation.execute(c, i);
            instructions++;
        } catch (GuestFault fault) {
            faulted(i, fault);
        }
    }

    /** The instruction at RIP, whatever it is, with whatever pages it lies on. */
    void interpretNext() {
        runBlock(block(), 1);
    }

    private void runBlock(Block block, int limit) {
        Operation[] operations = block.operations;
        var decoded = block.instructions;
        Cpu c = cpu;
        c.blockEnd = limit;
        int n = 0;
        try {
            do {
                var i = decoded[n];
                c.rip += i.length;
                operations[n].execute(c, i);
                n++;
            } while (n < c.blockEnd);
        } catch (GuestFault fault) {
            faulted(decoded[n], fault);
        } finally {
            instructions += n;
        }
    }

    /** Lets RIP point back to the instruction, and passes the fault on. */
    private void faulted(Instruction i, GuestFault fault) {
        cpu.rip -= i.length;
        if (fault == GuestFault.NON_CANONICAL && StackAccess.isToStack(i)) {
            throw GuestFault.ss0();
        }
        throw fault;
    }

    private void raise(GuestFault fault) {
        if (!interrupts.raise(fault.vector, fault.errorCode)) {
            shutDown();
        }
        shadow = false;
        updateCareful();
    }

    private void shutDown() {
        activity = VcpuState.Activity.SHUTDOWN;
    }

    /**
     * One instruction, with everything that is looked at before and after it. True to leave to the
     * debugger.
     */
    private boolean step() {
        long linear = linearRip();
        if (!(passing && linear == passedAddress) && stopsAt(linear)) {
            return true;
        }
        passing = false;
        boolean trap = cpu.flags.has(Flags.TF);
        boolean resume = cpu.flags.has(Flags.RF);
        int execution = resume ? 0 : cpu.debug.matchesExecution(linear);
        if (execution != 0) {
            debugException(execution);
            return debugRequest.singleStep();
        }
        shadow = false;
        debugHits = 0;
        try {
            Block block = block();
            trap &= !StackAccess.entersHandler(block.instructions[0].op);
            runBlock(block, 1);
            if (resume) {
                cpu.flags.system &= ~Flags.RF;
            }
            // A trap that falls into the shadow of a load of SS waits for the instruction after it.
            if ((trap || debugHits != 0) && activity != VcpuState.Activity.SHUTDOWN) {
                debugException(debugHits | (trap ? (int) DebugRegisters.DR6_BS : 0));
            }
        } catch (GuestFault fault) {
            raise(fault);
        }
        updateCareful();
        updateEventMask();
        return watchHit != -1 || debugRequest.singleStep();
    }

    private boolean stopsAt(long linear) {
        return Arrays.binarySearch(breakpoints, linear) >= 0;
    }

    private void debugException(int dr6Bits) {
        cpu.debug.dr6 = cpu.debug.dr6 & ~0xfL | dr6Bits;
        raise(GuestFault.of(GuestFault.DB));
    }

    // Events

    private void takeEvents() {
        if ((events & INIT) != 0) {
            clear(INIT);
            resetProcessor(true);
            return;
        }
        if ((events & eventMask & STARTUP) != 0) {
            clear(STARTUP);
            begin(startupVector);
            return;
        }
        if ((events & eventMask & NMI) != 0) {
            clear(NMI);
            wake();
            nmiBlocked = true;
            deliver(GuestFault.NMI);
            return;
        }
        if ((events & eventMask & INTERRUPT) != 0) {
            clear(INTERRUPT);
            int vector = controller.acknowledge();
            if (vector >= 0) {
                wake();
                injected++;
                if (paravirtualClock.reportsStolenTime()) {
                    paravirtualClock.addStolen(hostSchedule.waitedSinceLast());
                }
                deliver(vector);
                if (controller.interruptPending()) {
                    post(INTERRUPT);
                }
            }
        }
    }

    private void deliver(int vector) {
        if (!interrupts.interrupt(vector)) {
            shutDown();
        }
    }

    private void wake() {
        activity = VcpuState.Activity.RUNNING;
    }

    private void begin(int vector) {
        cpu.segments.set(Cpu.CS, vector << 8, (long) vector << 12, 0xffff, 0x9b);
        cpu.rip = 0;
        wake();
        codeSegmentChanged(0);
        updateEventMask();
    }

    @Override
    public void reset() {
        clear(-1);
        passing = false;
        resetProcessor(false);
    }

    /** RESET, or INIT, which keeps the FPU and a few registers (Intel SDM vol. 3A, table 9-1). */
    private void resetProcessor(boolean init) {
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

    // State

    @Override
    public VcpuState state() {
        return StateTransfer.save(cpu, this);
    }

    @Override
    public void setState(VcpuState state) {
        StateTransfer.restore(cpu, this, state, false);
        passing &= linearRip() == passedAddress;
    }

    /** The parts of a state that the loop keeps. */
    void saveLoop(VcpuState state) {
        state.activity = activity;
        state.interruptShadow = shadow;
        state.nmiBlocked = nmiBlocked;
        state.nmiPending = (events & NMI) != 0;
        state.tscOffset = tscOffset;
        state.cr8 = controller.cr8();
    }

    void restoreLoop(VcpuState state) {
        activity = state.activity;
        shadow = state.interruptShadow;
        nmiBlocked = state.nmiBlocked;
        tscOffset = state.tscOffset;
        if (controller.cr8() != state.cr8) {
            controller.setCr8(state.cr8);
        }
        if (state.nmiPending) {
            post(NMI);
        }
        debugChanged();
        mmu.flushAll();
        codeSegmentChanged(cpu.cpl);
        unitsChanged();
        updateEventMask();
        post(INTERRUPT);
    }

    @Override
    public long translate(long linear) {
        return mmu.walker().probe(linear);
    }

    // What handlers tell the loop

    Interrupts interrupts() {
        return interrupts;
    }

    ParavirtualClock paravirtualClock() {
        return paravirtualClock;
    }

    CodeSize codeSize() {
        return codeSize;
    }

    /** CS or the mode changed: a new privilege level, another code size, other translations. */
    void codeSegmentChanged(int cpl) {
        cpu.cpl = cpl;
        int attributes = cpu.segments.attributes[Cpu.CS];
        cpu.code64 = cpu.control.longMode() && (attributes & Segments.LONG) != 0;
        codeSize =
                cpu.code64
                        ? CodeSize.BITS64
                        : (attributes & Segments.BIG) != 0 ? CodeSize.BITS32 : CodeSize.BITS16;
        mmu.updateContext();
        leaveCodePage();
    }

    void leaveCodePage() {
        page = null;
        if (cpu != null) {
            cpu.endBlock();
        }
    }

    /** RFLAGS were replaced as a whole. */
    void flagsChanged() {
        updateEventMask();
        updateCareful();
        mmu.updateContext();
        cpu.endBlock();
    }

    void interruptFlagChanged() {
        updateEventMask();
    }

    /** Interrupts wait until after the next instruction. */
    void shadowInterrupts() {
        shadow = true;
        updateEventMask();
        updateCareful();
        cpu.endBlock();
    }

    void halt() {
        activity = VcpuState.Activity.HALTED;
        updateEventMask();
        cpu.endBlock();
    }

    void nmiDone() {
        nmiBlocked = false;
        updateEventMask();
    }

    /** CR0 or CR4 changed what the FPU and SSE units may do. */
    void unitsChanged() {
        cpu.sseReady =
                (cpu.control.cr0 & (ControlRegisters.CR0_EM | ControlRegisters.CR0_TS)) == 0
                        && cpu.control.osFxsr();
        cpu.avxReady = cpu.sseReady && cpu.control.avxEnabled();
    }

    // Interrupt controller

    long cr8() {
        return controller.cr8();
    }

    void setCr8(long value) {
        controller.setCr8(value);
        post(INTERRUPT);
    }

    long readApicMsr(int msr) {
        if (!controller.canReadMsr(msr)) {
            throw GuestFault.gp0();
        }
        return controller.readMsr(msr);
    }

    void writeApicMsr(int msr, long value) {
        if (!controller.writeMsr(msr, value)) {
            throw GuestFault.gp0();
        }
        if (controller.interruptPending()) {
            post(INTERRUPT);
        }
    }

    // Ports

    /**
     * Raises #GP unless CPL or the task's permission bitmap allows the ports (Intel SDM vol. 1,
     * 19.5).
     */
    void checkPortAccess(int port, int size) {
        if (!cpu.control.protectedMode() || cpu.cpl <= cpu.flags.iopl()) {
            return;
        }
        boolean task32 = (cpu.segments.attributes[Cpu.TR] & 8) != 0;
        long limit = cpu.segments.limit[Cpu.TR];
        long task = cpu.segments.base[Cpu.TR];
        if (!task32 || limit < 0x67) {
            throw GuestFault.gp0();
        }
        long map = Descriptors.readSystem(cpu, task + 0x66, 2);
        long at = map + (port >> 3);
        if (at + 1 > limit) {
            throw GuestFault.gp0();
        }
        long bits = Descriptors.readSystem(cpu, task + at, 2) >>> (port & 7);
        if ((bits & (1 << size) - 1) != 0) {
            throw GuestFault.gp0();
        }
    }

    int readPort(int port, int size) {
        ports++;
        enterDevice();
        int value = io.readPort(port & 0xffff, size);
        leaveDevice();
        return value;
    }

    void writePort(int port, int size, int value) {
        ports++;
        enterDevice();
        io.writePort(port & 0xffff, size, value);
        leaveDevice();
    }

    // Identification and time

    CpuidTable.Leaf cpuid(int function, int subleaf) {
        CpuidTable.Leaf leaf = cpuid.query(function, subleaf);
        return Identification.dynamic(leaf, cpu);
    }

    @Override
    public long tsc() {
        return tscAt(vm.clock().nanos());
    }

    long tscAt(long nanos) {
        return nanos + tscOffset;
    }

    void setTsc(long value) {
        long change = value - tsc();
        tscOffset += change;
        cpu.msr.tscAdjust += change;
    }

    void setTscAdjust(long value) {
        tscOffset += value - cpu.msr.tscAdjust;
        cpu.msr.tscAdjust = value;
    }

    // Debugging

    @Override
    public void setDebug(DebugRequest request) {
        debugRequest = request;
        breakpoints = request.breakpoints().stream().mapToLong(Long::longValue).sorted().toArray();
        breakpointPages = Arrays.stream(breakpoints).map(at -> at & PAGE).sorted().toArray();
        debugged = breakpoints.length != 0 || !request.watchpoints().isEmpty();
        debugChanged();
    }

    /** DR7 or the debugger's wishes changed. */
    void debugChanged() {
        List<DebugRequest.Watchpoint> watchpoints = debugRequest.watchpoints();
        long[] ranges = new long[2 * (4 + watchpoints.size())];
        int used = 0;
        for (int n = 0; n < 4; n++) {
            if (cpu.debug.enabled(n) && (cpu.debug.condition(n) & 1) != 0) {
                long start = cpu.debug.address[n] & -cpu.debug.length(n);
                ranges[used++] = start;
                ranges[used++] = start + cpu.debug.length(n) - 1;
            }
        }
        for (DebugRequest.Watchpoint w : watchpoints) {
            ranges[used++] = w.address();
            ranges[used++] = w.address() + w.length() - 1;
        }
        mmu.watchRanges(Arrays.copyOf(ranges, used));
        updateCareful();
        cpu.endBlock();
    }

    /** Whether a repeated instruction is to stop after each repetition. */
    boolean stepsThroughRepetitions() {
        return debugRequest.singleStep() || cpu.flags.has(Flags.TF);
    }

    /** Told of every data access to a page with watched bytes. */
    void watch(long linear, int size, boolean write) {
        debugHits |= cpu.debug.matches(linear, size, write);
        for (DebugRequest.Watchpoint w : debugRequest.watchpoints()) {
            boolean counts = write ? w.onWrite() : w.onRead();
            boolean touched = linear - w.address() < w.length() && w.address() - linear < size;
            if (counts && touched && watchHit == -1) {
                watchHit = linear - w.address() < 0 ? w.address() : linear;
            }
        }
        if (debugHits != 0 || watchHit != -1) {
            cpu.endBlock();
        }
    }

    @Override
    public long debugAddress() {
        return debugAddress;
    }

    @Override
    public String failure() {
        return failure;
    }

    void revokeWrites(long pageGpa) {
        mmu.revokeWrites(pageGpa);
    }

    CodeRunner codeRunner() {
        return codeRunner;
    }

    // Figures

    long instructions() {
        return instructions + codeRunner.instructions();
    }

    long runNanos() {
        return runNanos + (busy ? System.nanoTime() - busySince : 0);
    }

    void count(Map<String, Long> counters) {
        codeRunner.count(counters);
        counters.merge("exits.port", ports, Long::sum);
        counters.merge("exits.mmio-read", mmu.mmioReads, Long::sum);
        counters.merge("exits.mmio-write", mmu.mmioWrites, Long::sum);
        counters.merge("exits.halt", halts, Long::sum);
        counters.merge("tlb.misses", mmu.misses, Long::sum);
        counters.merge("interrupts.external", injected, Long::sum);
        counters.merge("exceptions.page-fault", interrupts.delivered[GuestFault.PF], Long::sum);
    }

    /** Before a controller is connected: no interrupts, no registers. */
    private enum NoController implements LocalInterruptController {
        INSTANCE;

        @Override
        public boolean interruptPending() {
            return false;
        }

        @Override
        public int acknowledge() {
            return -1;
        }

        @Override
        public long cr8() {
            return 0;
        }

        @Override
        public void setCr8(long priority) {}

        @Override
        public boolean canReadMsr(int msr) {
            return false;
        }

        @Override
        public long readMsr(int msr) {
            return 0;
        }

        @Override
        public boolean writeMsr(int msr, long value) {
            return false;
        }

        @Override
        public long mmioBase() {
            return -1;
        }

        @Override
        public long readMmio(int offset, int size) {
            return 0;
        }

        @Override
        public void writeMmio(int offset, int size, long value) {}
    }
}
