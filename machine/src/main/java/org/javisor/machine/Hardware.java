package org.javisor.machine;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.javisor.device.Doorbells;
import org.javisor.device.SystemClock;
import org.javisor.firmware.Firmware;
import org.javisor.hypervisor.CpuFeature;
import org.javisor.hypervisor.CpuModel;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.OutOfHostMemoryException;
import org.javisor.virtio.VirtioDevice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a machine consists of: memory, processors, chips, and the program to boot. Puts it together,
 * gets it ready to boot, and gives it back; what runs it and when is up to {@link Machine}.
 */
final class Hardware implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hardware.class);

    private final SystemClock clock;
    private final GuestMemory memory;
    private final Vm vm;
    private final Optional<Doorbells> doorbells;
    private final PcBoard board;
    private final List<Runnable> devices = new ArrayList<>();
    private final List<Vcpu> vcpus;
    private final BootSource boot;
    private final SerialLine console;
    private final SerialLine control;
    private final CrashWatch crashes;

    /** Whom the parts call, from threads of theirs. */
    interface Owner {
        GuestRequests requests();

        /** The guest's kernel hangs after a panic. */
        void panicked(String panic);

        /** A part has failed. */
        void broken(Throwable cause);
    }

    /**
     * @throws MachineException if the kernel or initial RAM disk is no good, or the host cannot
     */
    static Hardware assemble(MachineConfig config, EngineSelection engine, Owner owner) {
        List<AutoCloseable> made = new ArrayList<>();
        try {
            return new Hardware(config, engine, owner, made);
        } catch (OutOfHostMemoryException e) {
            undo(made);
            throw new MachineException(
                    MachineException.Code.HOST_CANNOT,
                    e.getMessage() + "; try a smaller --memory",
                    e);
        } catch (UncheckedIOException e) {
            undo(made);
            throw new MachineException(MachineException.Code.HOST_CANNOT, e.getMessage(), e);
        } catch (RuntimeException e) {
            undo(made);
            throw e;
        }
    }

    private static void undo(List<AutoCloseable> made) {
        for (AutoCloseable part : made.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.debug("Closing after a failed creation", e);
            }
        }
    }

    private Hardware(
            MachineConfig config, EngineSelection engine, Owner owner, List<AutoCloseable> made) {
        boot = BootSource.read(config);
        clock = new SystemClock(config.name() + "-clock", config.wallClock(), owner::broken);
        made.add(clock);
        memory = GuestMemory.allocate(boot.ranges());
        made.add(memory);
        vm = engine.hypervisor().createVm(memory, clock);
        made.add(vm);
        crashes = new CrashWatch(clock, config.listener()::panicked, owner::panicked);
        console = new SerialLine(config.name() + "-com1", config.console(), crashes::console);
        made.add(console::close);
        control = new SerialLine(config.name() + "-com2", config.control(), crashes::control);
        made.add(control::close);
        GuestRequests requests = owner.requests();
        InterruptChips chips = config.engineOptions().interruptChips();
        doorbells = chips == InterruptChips.OWN ? Optional.empty() : vm.doorbells(owner::broken);
        board =
                new PcBoard(
                        InterruptWiring.of(vm, clock, chips),
                        doorbells,
                        boot.ranges(),
                        clock,
                        console,
                        control,
                        requests);
        plug(
                config,
                new PciDevice.Surroundings(config.name(), config.cpus(), memory, clock, requests),
                made);
        CpuidTable model = cpuid(config.cpu(), engine);
        List<Vcpu> processors = new ArrayList<>();
        for (int i = 0; i < config.cpus(); i++) {
            CpuidTable cpuid = Topology.describe(model, i, config.cpus());
            Vcpu vcpu = vm.createVcpu(i, cpuid, board.newIo());
            board.connect(vcpu);
            processors.add(vcpu);
        }
        vcpus = List.copyOf(processors);
        prepareForBoot();
    }

    private static CpuidTable cpuid(CpuModel model, EngineSelection engine) {
        CpuidTable offered = engine.hypervisor().cpuid();
        Set<CpuFeature> missing = model.missing(offered);
        if (!missing.isEmpty()) {
            throw new MachineException(
                    MachineException.Code.HOST_CANNOT,
                    "CPU model %s needs %s, which the %s engine does not have here; take another --cpu"
                            .formatted(
                                    model,
                                    missing.stream()
                                            .map(CpuFeature::toString)
                                            .collect(Collectors.joining(", ")),
                                    engine.hypervisor().name()));
        }
        return model.table(offered);
    }

    private void plug(
            MachineConfig config, PciDevice.Surroundings surroundings, List<AutoCloseable> made) {
        for (PciSlot slot : config.devices()) {
            PciDevice device = slot.device().create(surroundings);
            made.add(device);
            board.plug(slot.address(), device.function());
            devices.add(device::close);
        }
        for (VirtioSlot slot : config.mmioDevices()) {
            VirtioDevice device = slot.device().apply(surroundings);
            made.add(device);
            board.plug(slot.name(), device, memory);
            devices.add(device::close);
        }
    }

    SystemClock clock() {
        return clock;
    }

    GuestMemory memory() {
        return memory;
    }

    Vm vm() {
        return vm;
    }

    PcBoard board() {
        return board;
    }

    List<Vcpu> vcpus() {
        return vcpus;
    }

    SerialLine console() {
        return console;
    }

    SerialLine control() {
        return control;
    }

    CrashWatch crashes() {
        return crashes;
    }

    /** Has serial output wait for slow sinks, or not. */
    void waitForRoom(boolean wait) {
        console.waitForRoom(wait);
        control.waitForRoom(wait);
    }

    /** With all processors standing still: as after power-on. */
    void reset() {
        board.reset();
        vcpus.forEach(Vcpu::reset);
        crashes.newBoot();
        prepareForBoot();
    }

    private void prepareForBoot() {
        board.prepareForBoot();
        VcpuState first = boot.install(memory);
        vcpus.getFirst().setState(first);
        for (Vcpu other : vcpus.subList(1, vcpus.size())) {
            VcpuState state = other.state();
            Firmware.prepareProcessor(state);
            other.setState(state);
        }
    }

    /** With no processor running. */
    @Override
    public void close() {
        clock.close();
        doorbells.ifPresent(Doorbells::stop);
        devices.forEach(Runnable::run);
        vm.close();
        memory.close();
        console.close();
        control.close();
    }
}
