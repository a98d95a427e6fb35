package org.javisor.machine;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.hypervisor.CpuModel;
import org.javisor.pci.I6300Esb;
import org.javisor.pci.PciAddress;

/**
 * What a machine is made of.
 *
 * @param name for messages and thread names
 * @param memory bytes of RAM, a multiple of 1 MiB
 * @param cpus number of virtual processors
 * @param kernel a Linux kernel: a bzImage, or an uncompressed vmlinux with a PVH entry
 * @param initrd an initial RAM disk's bytes, as the kernel wants them; not copied
 * @param commandLine the kernel's
 * @param cpu the model of the processors
 * @param console takes what the first serial port (COM1, {@code ttyS0}) sends
 * @param control takes what the second one (COM2, {@code ttyS1}) sends
 * @param wallClock the time of day that the machine's real-time clock starts from
 * @param devices plugged into the PCI bus, in this order
 * @param mmioDevices virtio devices that are not on PCI, 16 at most
 * @param rebootOnReset whether the machine starts again when the guest resets it, or ends
 * @param rebootOnTripleFault whether it starts again after a triple fault that no announced restart
 *     explains
 */
public record MachineConfig(
        String name,
        long memory,
        int cpus,
        EngineChoice engine,
        CpuModel cpu,
        EngineOptions engineOptions,
        Path kernel,
        Optional<byte[]> initrd,
        String commandLine,
        ByteSink console,
        ByteSink control,
        MachineListener listener,
        InstantSource wallClock,
        List<PciSlot> devices,
        List<VirtioSlot> mmioDevices,
        boolean rebootOnReset,
        boolean rebootOnTripleFault) {
    /** Less than this cannot hold any kernel worth starting. */
    public static final long MINIMUM_MEMORY = 16L << 20;

    /**
     * The I/O APIC's 8-bit destination field names 255 processors, the broadcast address excepted.
     */
    public static final int MAXIMUM_CPUS = 255;

    private static final long MIB = 1L << 20;
    private static final int NAME_LENGTH = 64;

    /**
     * @throws MachineException BAD_CONFIGURATION or HOST_CANNOT, with one line on what is wrong
     */
    public MachineConfig {
        devices = List.copyOf(devices);
        mmioDevices = List.copyOf(mmioDevices);
        if (mmioDevices.size() > MmioBoard.MOST_DEVICES) {
            throw wrong(
                    "A machine has room for %d memory-mapped virtio devices, not %d; use PCI",
                    MmioBoard.MOST_DEVICES, mmioDevices.size());
        }
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*") || name.length() > NAME_LENGTH) {
            throw wrong(
                    "A machine's name is letters, digits, '.', '_' and '-', at most %d: '%s'",
                    NAME_LENGTH, name.replaceAll("\\p{Cntrl}", "?"));
        }
        if (cpus < 1 || cpus > MAXIMUM_CPUS) {
            throw wrong("A machine has 1 to %d processors, not %d", MAXIMUM_CPUS, cpus);
        }
        if (memory < MINIMUM_MEMORY) {
            throw wrong(
                    "A machine needs at least %d MiB of memory, not %s",
                    MINIMUM_MEMORY / MIB, inWords(memory));
        }
        if (memory % MIB != 0) {
            throw wrong("Memory must be a multiple of 1 MiB, not %d bytes", memory);
        }
        long host = HostMemory.total();
        if (memory > host) {
            throw new MachineException(
                    MachineException.Code.HOST_CANNOT,
                    "%s of guest memory is more than the host's %s"
                            .formatted(inWords(memory), inWords(host)));
        }
    }

    private static MachineException wrong(String format, Object... arguments) {
        return new MachineException(
                MachineException.Code.BAD_CONFIGURATION, format.formatted(arguments));
    }

    private static String inWords(long bytes) {
        if (bytes % MIB != 0 && bytes < 16 * MIB) {
            return bytes + " bytes";
        }
        return bytes / MIB + " MiB";
    }

    /** A builder with 512 MiB of RAM, one processor and {@code auto} as the engine. */
    public static Builder builder(Path kernel) {
        return new Builder(kernel);
    }

    /** Collects a configuration; checked when built. */
    public static final class Builder {
        private final Path kernel;
        private String name = "javisor";
        private long memory = 512L << 20;
        private int cpus = 1;
        private EngineChoice engine = EngineChoice.AUTO;
        private CpuModel cpu = CpuModel.MAX;
        private EngineOptions engineOptions = EngineOptions.DEFAULT;
        private Optional<byte[]> initrd = Optional.empty();
        private String commandLine = "console=ttyS0 panic=-1";
        private ByteSink console = ByteSink.NONE;
        private ByteSink control = ByteSink.NONE;
        private MachineListener listener = MachineListener.NONE;
        private InstantSource wallClock = InstantSource.system();
        private final List<PciSlot> devices = new ArrayList<>();
        private boolean virtioMmio;
        private boolean rebootOnReset = true;
        private boolean rebootOnTripleFault;

        private Builder(Path kernel) {
            this.kernel = kernel;
        }

        public Builder name(String name) {
            this.name = name;
            return this;
        }

        /**
         * @param bytes a multiple of 1 MiB
         */
        public Builder memory(long bytes) {
            this.memory = bytes;
            return this;
        }

        public Builder cpus(int count) {
            this.cpus = count;
            return this;
        }

        /** What processors the guest sees: {@link CpuModel#MAX} unless told. */
        public Builder cpu(CpuModel model) {
            this.cpu = model;
            return this;
        }

        public Builder engine(EngineChoice choice) {
            this.engine = choice;
            return this;
        }

        public Builder engineOptions(EngineOptions options) {
            this.engineOptions = options;
            return this;
        }

        /**
         * @throws MachineException BAD_BOOT_FILE if the file cannot be read
         */
        public Builder initrd(Path file) {
            return initrd(BootSource.readInitrd(file));
        }

        /**
         * @param bytes not copied
         */
        public Builder initrd(byte[] bytes) {
            this.initrd = Optional.of(bytes);
            return this;
        }

        /** Replaces {@code console=ttyS0 panic=-1}. */
        public Builder commandLine(String words) {
            this.commandLine = words;
            return this;
        }

        public Builder console(ByteSink sink) {
            this.console = sink;
            return this;
        }

        public Builder control(ByteSink sink) {
            this.control = sink;
            return this;
        }

        public Builder listener(MachineListener hears) {
            this.listener = hears;
            return this;
        }

        public Builder wallClock(InstantSource source) {
            this.wallClock = source;
            return this;
        }

        /**
         * Shows virtio devices to the guest at fixed addresses instead of on PCI, as far as they
         * are not given a PCI slot.
         */
        public Builder virtioMmio(boolean memoryMapped) {
            virtioMmio = memoryMapped;
            return this;
        }

        /** Plugs a device into the first PCI slot that is free. */
        public Builder device(PciDevice.Factory device) {
            devices.add(new PciSlot(Optional.empty(), device));
            return this;
        }

        /**
         * Adds a watchdog timer, an Intel 6300ESB's.
         *
         * @param action what happens when the guest lets it run out
         */
        public Builder watchdog(WatchdogAction action) {
            return device(
                    parts ->
                            PciDevice.of(
                                    new I6300Esb(
                                                    parts.clock(),
                                                    () -> parts.requests().watchdogExpired(action))
                                            .function()));
        }

        /** Plugs a device into a PCI slot of the caller's choice. */
        public Builder device(PciAddress address, PciDevice.Factory device) {
            devices.add(new PciSlot(Optional.of(address), device));
            return this;
        }

        public Builder rebootOnReset(boolean reboot) {
            this.rebootOnReset = reboot;
            return this;
        }

        public Builder rebootOnTripleFault(boolean reboot) {
            this.rebootOnTripleFault = reboot;
            return this;
        }

        /**
         * @throws MachineException as {@link MachineConfig}'s constructor
         */
        public MachineConfig build() {
            List<PciSlot> onPci = new ArrayList<>();
            List<VirtioSlot> memoryMapped = new ArrayList<>();
            for (PciSlot slot : devices) {
                if (virtioMmio
                        && slot.address().isEmpty()
                        && slot.device() instanceof VirtioSlot virtio) {
                    memoryMapped.add(virtio);
                } else {
                    onPci.add(slot);
                }
            }
            return new MachineConfig(
                    name,
                    memory,
                    cpus,
                    engine,
                    cpu,
                    engineOptions,
                    kernel,
                    initrd,
                    commandLine,
                    console,
                    control,
                    listener,
                    wallClock,
                    onPci,
                    memoryMapped,
                    rebootOnReset,
                    rebootOnTripleFault);
        }
    }
}
