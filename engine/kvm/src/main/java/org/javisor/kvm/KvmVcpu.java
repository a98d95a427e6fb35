package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.javisor.device.LocalApicState;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Activity;

/**
 * A processor of KVM's and the loop that runs it.
 *
 * <p>An exit for I/O leaves the instruction half done; the next entry finishes it. So before the
 * loop returns, or looks at registers, it enters once more with the wish to exit set.
 */
final class KvmVcpu implements Vcpu {
    private static final int HLT = 0xf4;

    /** Delivery modes of interrupt messages to one processor. */
    private static final int MESSAGE_INIT = 5, MESSAGE_STARTUP = 6;

    private static final long RUN = Ioctl.RUN.request();

    private final KvmVm vm;
    private final int index;
    private final KvmHandle handle;
    private final RunPage page;
    private final Attention attention;
    private final DeviceExits devices;

    /** Not closed: closing one that threads share stops them all for a moment. */
    private final Arena arena = Arena.ofAuto();

    private final MemorySegment errno = LinuxCalls.newErrno(arena);
    private final Counter counter;
    private final OuterApic outer;
    private final ProcessorState processor;
    private final DebugStops stops;
    private final Rescuer rescuer;
    private final ExitCounts exits = new ExitCounts();
    private final RunTime runTime = new RunTime();

    /** Whether APIC, HLT and start-up are the kernel's affair. */
    private final boolean hostApic;

    private volatile int startupVector;

    /** The last exit's instruction is to be finished by the next entry. */
    private boolean unfinished;

    /** The next entry is for that alone. */
    private boolean finishing;

    /** A debugger has stepped over HLT already; the kernel may tell of it once more. */
    private boolean staleHalt;

    private String failure = "";

    KvmVcpu(KvmVm vm, int index, KvmHandle handle, int pageSize, CpuidTable cpuid, VcpuIo io) {
        this.vm = vm;
        this.index = index;
        this.handle = handle;
        hostApic = vm.apics().isPresent();
        page = new RunPage(handle, pageSize);
        attention = new Attention(page);
        devices = new DeviceExits(page, io);
        rescuer = new Rescuer(vm.memory(), vm.clock(), cpuid, io);
        GuestDebug debug = new GuestDebug(handle, vm.handle().offers(Capability.SET_GUEST_DEBUG));
        stops = new DebugStops(debug);
        outer = new OuterApic(handle, page, attention, debug, hostApic, arena);
        int khz = handle.tryCall(Ioctl.GET_TSC_KHZ, 0);
        counter =
                new Counter(
                        handle,
                        vm.time(),
                        khz > 0 ? khz : 1_000_000,
                        vm.first().map(first -> first.counter));
        ModelRegisters msrs = ModelRegisters.of(handle);
        VcpuRegisters registers =
                new VcpuRegisters(handle, msrs, HostCpuid.xsaveSize(cpuid), arena);
        processor =
                new ProcessorState(handle, index == 0, hostApic, registers, counter, outer, arena);
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
        outer.connect(newController);
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
        runTime.begin(thread);
        counter.resume();
        try {
            if (!stops.begin(unfinished)) {
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
            if (outer.activity() != Activity.RUNNING) {
                if (outer.activity() == Activity.SHUTDOWN) {
                    return ExitReason.SHUTDOWN;
                }
                outer.sleep();
                continue;
            }
            ExitReason reason = enter();
            if (reason != null) {
                return reason;
            }
        }
    }

    private void takeEvents(int now) {
        if ((now & Attention.INIT) != 0) {
            attention.clear(Attention.INIT);
            setState(processor.initialized());
        } else if ((now & Attention.STARTUP) != 0) {
            attention.clear(Attention.STARTUP);
            if (outer.activity() == Activity.WAITING_FOR_STARTUP) {
                setState(processor.started(startupVector));
            }
        }
        if ((now & Attention.NMI) != 0 && outer.activity() != Activity.WAITING_FOR_STARTUP) {
            attention.clear(Attention.NMI);
            outer.takeNmi();
        }
        if ((now & Attention.INTERRUPT) != 0) {
            attention.clear(Attention.INTERRUPT);
        }
    }

    /** One stay in the guest and what follows from its end; null to go on. */
    private ExitReason enter() {
        if (!finishing) {
            outer.offerInterrupt(stops.passing());
        }
        finishing = false;
        outer.enter();
        int result = LinuxCalls.ioctl(errno, handle.fd(), RUN, 0);
        attention.comeOutside();
        long left = System.nanoTime();
        outer.left();
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
                devices.readMsr(outer.controller());
                unfinished = true;
            }
            case RunPage.EXIT_WRMSR -> {
                devices.writeMsr(outer.controller());
                unfinished = true;
            }
            case RunPage.EXIT_HLT -> halted();
            case RunPage.EXIT_IOAPIC_EOI ->
                    vm.apics().ifPresent(apics -> apics.ended(page.eoiVector()));
            case RunPage.EXIT_DIRTY_RING_FULL -> vm.slots().makeRoom();
            case RunPage.EXIT_IRQ_WINDOW_OPEN, RunPage.EXIT_INTR, RunPage.EXIT_SET_TPR -> {}
            case RunPage.EXIT_SHUTDOWN -> {
                outer.setActivity(Activity.SHUTDOWN);
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
        // Without an NMI that is only requested yet: it stays so.
        VcpuState before = processor.save();
        VcpuState after = rescuer.execute(before, stops.follows());
        try {
            processor.change(before, after);
            stops.stateSet(after);
        } catch (IllegalArgumentException e) {
            return fail("KVM cannot go on where the interpreter stopped: " + e.getMessage());
        }
        exits.add(ExitCounts.RESCUE, System.nanoTime() - begin);
        if (after.activity == Activity.SHUTDOWN) {
            return ExitReason.SHUTDOWN;
        }
        return stops.follows() && stops.stops(DebugStops.linear(after), -1)
                ? ExitReason.DEBUG
                : null;
    }

    private ExitReason debugExit() {
        long at = DebugStops.linear(state());
        long passed = stops.passedAddress();
        if (!hostApic && stops.passing() && at == passed + 1 && isHalt(passed)) {
            // The kernel tells of the step and not of the halt; that it may do once more, later.
            staleHalt = true;
            outer.halted();
        }
        return stops.stops(at, stops.watched(page.debugDr6())) ? ExitReason.DEBUG : null;
    }

    private void halted() {
        boolean stale = staleHalt && !isHalt(DebugStops.linear(state()) - 1);
        staleHalt = false;
        // The kernel may hold a non-maskable interrupt that came while another was handled, and
        // tell of the halt first: it is delivered on the next entry, not by anybody out here.
        if (!stale && !processor.nmiPending()) {
            outer.halted();
        }
    }

    private boolean isHalt(long linear) {
        long gpa = translate(linear);
        return gpa != -1 && vm.memory().read8(gpa) == HLT;
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

    // State

    @Override
    public void reset() {
        attention.clear(-1);
        stops.reset();
        processor.reset();
        unfinished = false;
    }

    @Override
    public VcpuState state() {
        VcpuState state = processor.save();
        state.nmiPending |= (attention.events() & Attention.NMI) != 0;
        return state;
    }

    @Override
    public void setState(VcpuState state) {
        processor.restore(state);
        stops.stateSet(state);
        attention.clear(Attention.NMI);
        unfinished = false;
    }

    @Override
    public LocalApicState localApic() {
        return hostApic ? processor.apic().save() : Vcpu.super.localApic();
    }

    @Override
    public void setLocalApic(LocalApicState state) {
        if (!hostApic) {
            Vcpu.super.setLocalApic(state);
        }
        processor.apic().restore(state);
    }

    @Override
    public long tsc() {
        return counter.now();
    }

    @Override
    public long translate(long linear) {
        return rescuer.translate(state(), linear);
    }

    // Debugging

    @Override
    public void setDebug(DebugRequest request) {
        stops.set(request);
    }

    @Override
    public long debugAddress() {
        return stops.watchedAddress();
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
        rescuer.close();
        attention.close();
        handle.close();
    }
}
