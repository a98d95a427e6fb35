package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Optional;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Activity;
import org.javisor.interpreter.SingleInstruction;

/**
 * A processor of KVM's and the loop that runs it.
 *
 * <p>An exit for I/O leaves the instruction half done; the next entry finishes it. So before the
 * loop returns, or looks at registers, it enters once more with the wish to exit set.
 */
final class KvmVcpu implements Vcpu {
    private static final int INTERRUPT_FLAG = 0x200;
    private static final int HLT = 0xf4;

    /** Delivery modes of interrupt messages to one processor. */
    private static final int MESSAGE_INIT = 5, MESSAGE_STARTUP = 6;

    // KVM_SET_MP_STATE
    private static final int RUNNABLE = 0, UNINITIALIZED = 1, INIT_RECEIVED = 2, HALTED = 3;
    private static final int SIPI_RECEIVED = 4;

    private final KvmVm vm;
    private final int index;
    private final KvmHandle handle;
    private final VcpuIo io;
    private final CpuidTable cpuid;
    private final RunPage page;
    private final Attention attention;
    private final DeviceExits devices;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment errno = LinuxCalls.newErrno(arena);
    private final MemorySegment scratch = arena.allocate(64, 8);
    private final VcpuRegisters registers;
    private final Counter counter;
    private final GuestDebug debug;
    private final ExitCounts exits = new ExitCounts();
    private final RunTime runTime = new RunTime();
    private final VcpuState powerOn;
    private final MemorySegment powerOnApic = arena.allocate(Layouts.LAPIC);
    private final long apicBase;
    private Optional<SingleInstruction> rescuer = Optional.empty();

    /** Whether APIC, HLT and start-up are the kernel's affair. */
    private final boolean hostApic;

    private LocalInterruptController controller = KvmVm.NoController.INSTANCE;

    private volatile int startupVector;

    /** Without the kernel's APIC: what the processor does. With it: RUNNING or SHUTDOWN. */
    private Activity activity = Activity.RUNNING;

    private boolean interruptFlag;

    /** Whether an interrupt may be injected now; known after an exit. */
    private boolean ready;

    /** The last exit's instruction is to be finished by the next entry. */
    private boolean unfinished;

    /** The next entry is for that alone. */
    private boolean finishing;

    // Debugging
    private boolean passing;
    private long passedAddress;
    private boolean staleHalt;
    private long debugAddress = -1;
    private String failure = "";

    KvmVcpu(KvmVm vm, int index, KvmHandle handle, int pageSize, CpuidTable cpuid, VcpuIo io) {
        this.vm = vm;
        this.index = index;
        this.handle = handle;
        this.io = io;
        hostApic = vm.apics().isPresent();
        this.cpuid = cpuid;
        page = new RunPage(handle, pageSize);
        attention = new Attention(page);
        devices = new DeviceExits(page, io);
        ModelRegisters msrs = ModelRegisters.of(handle);
        registers = new VcpuRegisters(handle, msrs, HostCpuid.xsaveSize(cpuid), arena);
        int khz = handle.tryCall(Ioctl.GET_TSC_KHZ, 0);
        counter =
                new Counter(
                        handle,
                        vm.time(),
                        khz > 0 ? khz : 1_000_000,
                        vm.first().map(first -> first.counter));
        debug = new GuestDebug(handle, vm.handle().offers(Capability.SET_GUEST_DEBUG));
        powerOn = new VcpuState();
        powerOn.activity = index == 0 ? Activity.RUNNING : Activity.WAITING_FOR_STARTUP;
        setState(powerOn);
        powerOn.msrs.putAll(state().msrs);
        apicBase = registers.apicBase();
        if (hostApic) {
            handle.call(Ioctl.GET_LAPIC, powerOnApic);
        }
    }

    int tscKhz() {
        return counter.khz();
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
        attention.post(Attention.INTERRUPT);
    }

    @Override
    public void nmi() {
        attention.post(Attention.NMI);
    }

    @Override
    public void init() {
        if (hostApic) {
            message(MESSAGE_INIT, 0);
        } else {
            attention.clear(Attention.STARTUP);
            attention.post(Attention.INIT);
        }
    }

    @Override
    public void startUp(int vector) {
        if (hostApic) {
            message(MESSAGE_STARTUP, vector);
        } else {
            startupVector = vector;
            attention.post(Attention.STARTUP);
        }
    }

    private void message(int mode, int vector) {
        long address = 0xfee00000L | (long) index << 12;
        vm.apics().orElseThrow().deliver(address, mode << 8 | vector);
    }

    @Override
    public void requestExit() {
        attention.post(Attention.EXIT);
    }

    // Running

    @Override
    public ExitReason run() {
        int thread = LinuxCalls.threadId();
        attention.begin(thread);
        debugAddress = -1;
        runTime.begin(thread);
        counter.resume();
        try {
            if (!beginDebugging()) {
                failure = "This host's KVM cannot stop guests for a debugger";
                return ExitReason.FAILURE;
            }
            return loop();
        } finally {
            attention.end();
            runTime.end();
        }
    }

    private ExitReason loop() {
        while (true) {
            int now = attention.goInside();
            if (now != 0) {
                if (unfinished) {
                    page.immediateExit(true);
                    finishing = true;
                } else if ((now & Attention.EXIT) != 0) {
                    attention.clear(Attention.EXIT);
                    return ExitReason.REQUESTED;
                } else {
                    takeEvents(now);
                }
            }
            if (activity != Activity.RUNNING) {
                if (activity == Activity.SHUTDOWN) {
                    return ExitReason.SHUTDOWN;
                }
                sleep();
                continue;
            }
            ExitReason reason = enter();
            if (reason != null) {
                return reason;
            }
        }
    }

    /** One stay in the guest and what follows from its end; null to go on. */
    private ExitReason enter() {
        long cr8 = 0;
        if (!finishing) {
            offerInterrupt();
        }
        finishing = false;
        if (!hostApic) {
            cr8 = controller.cr8();
            page.setCr8(cr8);
        }
        int result = LinuxCalls.ioctl(errno, handle.fd(), RUN, 0);
        attention.comeOutside();
        long left = System.nanoTime();
        ready = page.readyForInterrupt();
        if (!hostApic && page.cr8() != cr8) {
            controller.setCr8(page.cr8());
        }
        if (result < 0) {
            if (result != -LinuxCalls.EINTR && result != -LinuxCalls.EAGAIN) {
                return fail("KVM_RUN: " + LinuxCalls.describe(-result));
            }
            unfinished = false;
            exits.add(ExitCounts.KICK, 0);
            return null;
        }
        int reason = page.reason();
        ExitReason end = handle(reason);
        exits.add(reason, System.nanoTime() - left);
        return end;
    }

    private static final long RUN = Ioctl.RUN.request();

    private ExitReason handle(int reason) {
        unfinished = false;
        switch (reason) {
            case RunPage.EXIT_IO -> {
                devices.transferPort();
                unfinished = true;
            }
            case RunPage.EXIT_MMIO -> {
                devices.transferMemory();
                unfinished = true;
            }
            case RunPage.EXIT_RDMSR -> {
                devices.readMsr(controller);
                unfinished = true;
            }
            case RunPage.EXIT_WRMSR -> {
                devices.writeMsr(controller);
                unfinished = true;
            }
            case RunPage.EXIT_HLT -> halted();
            case RunPage.EXIT_IOAPIC_EOI ->
                    vm.apics().ifPresent(apics -> apics.ended(page.eoiVector()));
            case RunPage.EXIT_IRQ_WINDOW_OPEN, RunPage.EXIT_INTR, RunPage.EXIT_SET_TPR -> {}
            case RunPage.EXIT_SHUTDOWN -> {
                activity = Activity.SHUTDOWN;
                return ExitReason.SHUTDOWN;
            }
            case RunPage.EXIT_DEBUG -> {
                return debugExit();
            }
            case RunPage.EXIT_INTERNAL_ERROR -> {
                return page.suberror() == RunPage.INTERNAL_ERROR_EMULATION
                        ? rescue()
                        : fail(describe(reason));
            }
            default -> {
                return fail(describe(reason));
            }
        }
        return null;
    }

    /** An instruction that the kernel cannot emulate: the interpreter carries it out. */
    private ExitReason rescue() {
        long begin = System.nanoTime();
        VcpuState before = state();
        VcpuState after = rescuer().execute(before);
        // What stays the same need not be written, and some of it has side effects.
        after.msrs.entrySet().removeAll(before.msrs.entrySet());
        try {
            setState(after);
        } catch (IllegalArgumentException e) {
            return fail("KVM cannot go on where the interpreter stopped: " + e.getMessage());
        }
        exits.add(ExitCounts.RESCUE, System.nanoTime() - begin);
        if (after.activity == Activity.SHUTDOWN) {
            return ExitReason.SHUTDOWN;
        }
        return debug.active() || passing ? stepped(linear(after), -1) : null;
    }

    /** Made when it is first needed, which on hardware is never. */
    private SingleInstruction rescuer() {
        if (rescuer.isEmpty()) {
            rescuer = Optional.of(new SingleInstruction(vm.memory(), vm.clock(), cpuid, io));
        }
        return rescuer.get();
    }

    private ExitReason fail(String what) {
        failure = what;
        return ExitReason.FAILURE;
    }

    private String describe(int reason) {
        return switch (reason) {
            case RunPage.EXIT_FAIL_ENTRY ->
                    "The host's processor refuses the guest's state (reason %#x)"
                            .formatted(page.entryFailure());
            case RunPage.EXIT_INTERNAL_ERROR ->
                    "KVM failed internally (suberror %d)".formatted(page.suberror());
            default -> "KVM left the guest for an unknown reason, " + reason;
        };
    }

    // Events

    private void takeEvents(int now) {
        if ((now & Attention.INIT) != 0) {
            attention.clear(Attention.INIT);
            initialize();
        } else if ((now & Attention.STARTUP) != 0) {
            attention.clear(Attention.STARTUP);
            if (activity == Activity.WAITING_FOR_STARTUP) {
                begin(startupVector);
            }
        }
        if ((now & Attention.NMI) != 0 && activity != Activity.WAITING_FOR_STARTUP) {
            attention.clear(Attention.NMI);
            activity = activity == Activity.HALTED ? Activity.RUNNING : activity;
            handle.call(Ioctl.NMI, 0);
        }
        if ((now & Attention.INTERRUPT) != 0) {
            attention.clear(Attention.INTERRUPT);
        }
    }

    /** Gives the processor an interrupt, or asks to be told when it would take one. */
    private void offerInterrupt() {
        boolean window = false;
        if (!passing && !debug.holdsInterrupts() && controller.interruptPending()) {
            if (ready) {
                int vector = controller.acknowledge();
                if (vector >= 0) {
                    scratch.set(ValueLayout.JAVA_INT, 0, vector);
                    handle.call(Ioctl.INTERRUPT, scratch);
                }
                ready = false;
                window = controller.interruptPending();
            } else {
                window = true;
            }
        }
        page.requestInterruptWindow(window);
    }

    /** HLT, or waiting for start-up, without the kernel's APIC. */
    private void sleep() {
        attention.goToSleep();
        while (!wakes()) {
            attention.sleep();
        }
        attention.comeOutside();
    }

    private boolean wakes() {
        int now = attention.events();
        if ((now & (Attention.EXIT | Attention.INIT)) != 0) {
            return true;
        }
        if (activity == Activity.WAITING_FOR_STARTUP) {
            return (now & Attention.STARTUP) != 0;
        }
        if ((now & Attention.NMI) != 0) {
            return true;
        }
        if ((now & Attention.INTERRUPT) != 0) {
            attention.clear(Attention.INTERRUPT);
        }
        if (interruptFlag && !debug.holdsInterrupts() && controller.interruptPending()) {
            activity = Activity.RUNNING;
            return true;
        }
        return false;
    }

    /** INIT, which keeps the FPU and most MSRs (Intel SDM vol. 3A, table 9-1). */
    private void initialize() {
        VcpuState now = state();
        VcpuState fresh = new VcpuState();
        fresh.xsave = now.xsave;
        fresh.msrs.putAll(now.msrs);
        fresh.cr0 |= now.cr0 & 0x60000000L;
        fresh.tscOffset = now.tscOffset;
        fresh.activity = index == 0 ? Activity.RUNNING : Activity.WAITING_FOR_STARTUP;
        setState(fresh);
    }

    private void begin(int vector) {
        VcpuState start = state();
        start.segments[VcpuState.CS] =
                new VcpuState.Segment(vector << 8, (long) vector << 12, 0xffff, 0x9b);
        start.rip = 0;
        start.activity = Activity.RUNNING;
        setState(start);
    }

    // State

    @Override
    public void reset() {
        attention.clear(-1);
        passing = false;
        if (hostApic) {
            registers.setApicBase(apicBase);
            handle.call(Ioctl.SET_LAPIC, powerOnApic);
        }
        setState(powerOn);
    }

    @Override
    public VcpuState state() {
        VcpuState state = new VcpuState();
        registers.save(state);
        state.activity = hostApic && activity != Activity.SHUTDOWN ? hostActivity() : activity;
        state.nmiPending |= (attention.events() & Attention.NMI) != 0;
        state.tscOffset = counter.lead();
        if (!hostApic) {
            state.cr8 = controller.cr8();
        }
        return state;
    }

    private Activity hostActivity() {
        handle.call(Ioctl.GET_MP_STATE, scratch);
        return switch (scratch.get(ValueLayout.JAVA_INT, 0)) {
            case HALTED -> Activity.HALTED;
            case UNINITIALIZED, INIT_RECEIVED, SIPI_RECEIVED -> Activity.WAITING_FOR_STARTUP;
            default -> Activity.RUNNING;
        };
    }

    @Override
    public void setState(VcpuState state) {
        registers.restore(state);
        counter.setLead(state.tscOffset);
        activity = state.activity;
        unfinished = false;
        if (hostApic && activity != Activity.SHUTDOWN) {
            int mode =
                    switch (state.activity) {
                        case RUNNING, SHUTDOWN -> RUNNABLE;
                        case HALTED -> HALTED;
                        case WAITING_FOR_STARTUP -> INIT_RECEIVED;
                    };
            scratch.set(ValueLayout.JAVA_INT, 0, mode);
            handle.call(Ioctl.SET_MP_STATE, scratch);
            activity = Activity.RUNNING;
        } else if (controller.cr8() != state.cr8) {
            controller.setCr8(state.cr8);
        }
        interruptFlag = (state.rflags & INTERRUPT_FLAG) != 0;
        ready = interruptFlag && !state.interruptShadow && !hostApic;
        attention.clear(Attention.NMI);
        passing &= linear(state) == passedAddress;
    }

    /** The linear address of the next instruction. */
    private static long linear(VcpuState state) {
        VcpuState.Segment cs = state.segments[VcpuState.CS];
        boolean code64 = (state.efer & 0x400) != 0 && (cs.attributes() & 0x2000) != 0;
        return code64 ? state.rip : state.rip + cs.base() & 0xffffffffL;
    }

    @Override
    public long tsc() {
        return counter.now();
    }

    @Override
    public long translate(long linear) {
        // KVM_TRANSLATE would set accessed bits.
        return rescuer().translate(state(), linear);
    }

    // Debugging

    @Override
    public void setDebug(DebugRequest request) {
        debug.set(request);
    }

    /** False if the kernel cannot. */
    private boolean beginDebugging() {
        if (passing && debug.active() && !unfinished) {
            return debug.install(true);
        }
        passing = false;
        return debug.install(false);
    }

    private ExitReason debugExit() {
        long at = linear(state());
        if (!hostApic && passing && at == passedAddress + 1 && isHalt(passedAddress)) {
            // The kernel tells of the step and not of the halt; that it may do once more, later.
            staleHalt = true;
            activity = Activity.HALTED;
            interruptFlag = page.interruptFlag();
        }
        return stepped(at, debug.watched(page.debugDr6()));
    }

    private void halted() {
        boolean stale = staleHalt && !isHalt(linear(state()) - 1);
        staleHalt = false;
        if (!stale) {
            // The kernel may hold a non-maskable interrupt that came while another was handled, and
            // tell of the halt first: it is delivered on the next entry, not by anybody out here.
            activity = state().nmiPending ? Activity.RUNNING : Activity.HALTED;
            interruptFlag = page.interruptFlag();
        }
    }

    private boolean isHalt(long linear) {
        long gpa = translate(linear);
        return gpa != -1 && vm.memory().read8(gpa) == HLT;
    }

    /** After a step or at a breakpoint: whether that is what the debugger waits for. */
    private ExitReason stepped(long at, long watched) {
        boolean passed = passing;
        passing = false;
        if (debug.singleStep() || watched != -1 || debug.stopsAt(at)) {
            debugAddress = watched;
            passing = true;
            passedAddress = at;
            return ExitReason.DEBUG;
        }
        if (passed) {
            debug.install(false);
        }
        return null;
    }

    @Override
    public long debugAddress() {
        return debugAddress;
    }

    @Override
    public String failure() {
        return failure;
    }

    // Figures

    long runNanos() {
        return runTime.nanos();
    }

    void count(Map<String, Long> counters) {
        exits.report(counters);
    }

    void close() {
        rescuer.ifPresent(SingleInstruction::close);
        attention.close();
        handle.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
