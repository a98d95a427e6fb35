package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.javisor.device.Clock;
import org.javisor.device.Doorbells;
import org.javisor.device.MessageInterrupts;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.EngineStatistics;
import org.javisor.hypervisor.InterruptFabric;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** A machine of KVM's: memory slots, processors and what they share. */
final class KvmVm implements Vm {
    /**
     * Four pages that old Intel processors need for real mode, at the end of the 4 GiB space where
     * no PC has RAM: three for a task state segment, one for page tables.
     */
    private static final long IDENTITY_MAP = 0xfeffc000L;

    private static final long TSS = IDENTITY_MAP + 0x1000;

    /** Which MSR accesses are left to us: unknown ones, refused ones, filtered ones. */
    private static final int MSR_EXITS = 1 | 2 | 4;

    private final GuestMemory memory;
    private final Clock clock;
    private final KvmHandle handle;

    /** Not closed: closing one that threads share stops them all for a moment. */
    private final Arena arena = Arena.ofAuto();

    private final MemorySlots slots;
    private final MachineTime time;
    private final List<KvmVcpu> vcpus = new CopyOnWriteArrayList<>();
    private final int runPageSize;
    private final boolean deadlineTimer;
    private boolean msrExits;
    private Optional<KernelInterrupts> apics = Optional.empty();
    private Optional<KernelChips> chips = Optional.empty();
    private Optional<KernelDoorbells> doorbells = Optional.empty();

    KvmVm(KvmHandle system, GuestMemory memory, Clock clock, DirtyTracking tracking) {
        this.memory = memory;
        this.clock = clock;
        KickSignal.prepare();
        runPageSize = system.call(Ioctl.GET_VCPU_MMAP_SIZE, 0);
        handle = new KvmHandle(system.call(Ioctl.CREATE_VM, 0));
        try {
            deadlineTimer = handle.offers(Capability.TSC_DEADLINE_TIMER);
            reserveRealModePages();
            slots = new MemorySlots(handle, memory, tracking);
            time = new MachineTime(handle, clock, handle.offers(Capability.ADJUST_CLOCK));
        } catch (RuntimeException e) {
            handle.close();
            throw e;
        }
    }

    private void reserveRealModePages() {
        if (memory.isRam(IDENTITY_MAP, 1)) {
            return;
        }
        if (handle.offers(Capability.SET_IDENTITY_MAP_ADDR)) {
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment address = scratch.allocate(8, 8);
                address.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, IDENTITY_MAP);
                handle.call(Ioctl.SET_IDENTITY_MAP_ADDR, address);
            }
        }
        if (handle.offers(Capability.SET_TSS_ADDR)) {
            handle.call(Ioctl.SET_TSS_ADDR, TSS);
        }
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    Clock clock() {
        return clock;
    }

    MachineTime time() {
        return time;
    }

    MemorySlots slots() {
        return slots;
    }

    KvmHandle handle() {
        return handle;
    }

    /** Empty while local APICs are the machine's own. */
    Optional<KernelInterrupts> apics() {
        return apics;
    }

    @Override
    public Optional<MessageInterrupts> useOwnLocalApics(IntConsumer endOfInterrupt) {
        requireNoProcessors();
        apics = KernelInterrupts.split(handle, endOfInterrupt, arena);
        return apics.map(interrupts -> interrupts);
    }

    @Override
    public Optional<InterruptFabric> useOwnInterruptFabric() {
        requireNoProcessors();
        chips = KernelChips.of(handle, arena);
        apics = chips.map(KernelChips::interrupts);
        return chips.map(fabric -> fabric);
    }

    @Override
    public synchronized Optional<Doorbells> doorbells(Consumer<Throwable> broken) {
        if (doorbells.isEmpty()) {
            doorbells = KernelDoorbells.of(handle, broken);
        }
        return doorbells.map(bells -> bells);
    }

    private void requireNoProcessors() {
        if (!vcpus.isEmpty()) {
            throw new IllegalStateException("The machine has processors already");
        }
    }

    /**
     * Lets APIC registers that are MSRs reach a controller of the machine's own. Without it guests
     * can use the memory-mapped ones only.
     */
    private void passMsrs() {
        msrExits = handle.enable(Capability.X86_USER_SPACE_MSR, MSR_EXITS) == 0;
        if (msrExits && handle.offers(Capability.X86_MSR_FILTER)) {
            MsrFilter.deny(handle, 0x1b, 0x6e0);
        }
    }

    @Override
    public Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io) {
        if (vcpus.isEmpty() && apics.isEmpty()) {
            passMsrs();
        }
        CpuidTable table =
                HostCpuid.adapt(
                        cpuid,
                        apics.isPresent(),
                        apics.isPresent() && deadlineTimer,
                        apics.isPresent() || msrExits);
        KvmHandle vcpu = new KvmHandle(handle.call(Ioctl.CREATE_VCPU, index));
        try {
            HostCpuid.set(vcpu, table);
            KvmVcpu made = new KvmVcpu(this, index, vcpu, runPageSize, table, io);
            vcpus.add(made);
            slots.addProcessor(vcpu);
            return made;
        } catch (RuntimeException e) {
            vcpu.close();
            throw e;
        }
    }

    /** The first processor: whose counter all others follow. */
    Optional<KvmVcpu> first() {
        return vcpus.isEmpty() ? Optional.empty() : Optional.of(vcpus.getFirst());
    }

    @Override
    public long tscFrequency() {
        return (vcpus.isEmpty() ? estimatedKhz() : vcpus.getFirst().tscKhz()) * 1000L;
    }

    private int estimatedKhz() {
        int khz = handle.tryCall(Ioctl.GET_TSC_KHZ, 0);
        return khz > 0 ? khz : 1_000_000;
    }

    @Override
    public EngineStatistics statistics() {
        SortedMap<String, Long> counters = new TreeMap<>();
        long runNanos = 0;
        for (KvmVcpu vcpu : vcpus) {
            runNanos += vcpu.runNanos();
            vcpu.count(counters);
        }
        apics.ifPresent(interrupts -> interrupts.wires().report(counters));
        doorbells.ifPresent(bells -> counters.put("doorbells", bells.rings()));
        // The processor does not tell how many instructions a guest has executed.
        return new EngineStatistics(0, runNanos, counters);
    }

    @Override
    public void close() {
        doorbells.ifPresent(KernelDoorbells::close);
        slots.close();
        vcpus.forEach(KvmVcpu::close);
        vcpus.clear();
        apics.ifPresent(KernelInterrupts::close);
        handle.close();
    }
}
