package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.ShareSpec;
import org.javisor.machine.VirtioDevices;
import org.javisor.machine.WatchdogAction;
import org.javisor.storage.DiskLibrary;
import org.javisor.storage.DiskSpec;
import org.javisor.storage.StorageException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code javisor run} that add devices. */
final class DeviceOptions {
    @Option(
            names = "--disk",
            paramLabel = "FILE[,OPTION…]",
            converter = DiskConverter.class,
            description = {
                "Add a disk, /dev/vda and so on. Options: format=raw|qcow2,",
                "readonly, ephemeral, serial=TEXT, queues=N, bps=SIZE, iops=N,",
                "cache=…, discard=off, enospc=…; see docs/storage.md."
            })
    List<DiskSpec> disks = new ArrayList<>();

    @Option(
            names = "--virtio",
            paramLabel = "BUS",
            converter = BusConverter.class,
            description = "Where virtio devices are: pci or mmio (default: pci).")
    VirtioBus bus = VirtioBus.PCI;

    @Option(
            names = "--rng",
            description = "Add a source of random numbers, /dev/hwrng in the guest.")
    boolean rng;

    @Option(
            names = "--balloon",
            paramLabel = "SIZE",
            converter = MemorySize.class,
            description = {
                "Add a memory balloon: memory that the guest frees goes back to",
                "the host, and the guest gives up so much from the start: 0, 256M."
            })
    Optional<Long> balloon = Optional.empty();

    @Option(
            names = "--vsock",
            paramLabel = "CID[,SOCKET]",
            converter = VsockOption.Converter.class,
            description = {
                "Add sockets between guest and host; CID is the guest's number,",
                "from 3. Programs on the host reach them through a Unix socket",
                "(default: javisor-vsock-CID in XDG_RUNTIME_DIR, else in /tmp)."
            })
    Optional<VsockOption> vsock = Optional.empty();

    @Option(
            names = "--share",
            paramLabel = "DIR[:NAME[:rw]]",
            converter = ShareConverter.class,
            description = {
                "Share a folder of the host, at /mnt/NAME in the guest (default:",
                "the folder's own name); read-only without rw; see docs/share.md."
            })
    List<ShareSpec> shares = new ArrayList<>();

    @Option(
            names = "--watchdog",
            paramLabel = "ACTION",
            converter = WatchdogConverter.class,
            description = {
                "Add a watchdog timer (i6300esb); when the guest lets",
                "it run out: reset, poweroff, pause or none; see docs/pci.md."
            })
    Optional<WatchdogAction> watchdog = Optional.empty();

    boolean sharesNameTwice() {
        return shares.stream().map(ShareSpec::tag).distinct().count() < shares.size();
    }

    /**
     * Plugs the devices in, in an order that does not depend on the order of options.
     *
     * @param before the number of disks that the machine has already
     */
    void plug(MachineConfig.Builder builder, Map<String, String> environment, int before) {
        DiskLibrary library = DiskLibrary.ofUser(environment);
        for (int i = 0; i < disks.size(); i++) {
            builder.device(VirtioDevices.disk(before + i, library.resolve(disks.get(i))));
        }
        if (rng) {
            builder.device(VirtioDevices.rng());
        }
        balloon.ifPresent(size -> builder.device(VirtioDevices.balloon(size, ignored -> {})));
        vsock.ifPresent(
                option ->
                        builder.device(
                                VirtioDevices.vsock(
                                        option.cid(),
                                        Optional.of(option.path(environment)),
                                        ignored -> {})));
        for (int i = 0; i < shares.size(); i++) {
            builder.device(VirtioDevices.share(i, shares.get(i)));
        }
        watchdog.ifPresent(builder::watchdog);
        builder.virtioMmio(bus == VirtioBus.MMIO);
    }

    static final class ShareConverter implements ITypeConverter<ShareSpec> {
        @Override
        public ShareSpec convert(String text) {
            try {
                return ShareSpec.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    static final class WatchdogConverter implements ITypeConverter<WatchdogAction> {
        @Override
        public WatchdogAction convert(String text) {
            return WatchdogAction.named(text)
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "'"
                                                    + text
                                                    + "' is not an action: reset, poweroff, pause,"
                                                    + " none"));
        }
    }

    /** Where virtio devices are. */
    enum VirtioBus {
        PCI,
        MMIO
    }

    static final class BusConverter implements ITypeConverter<VirtioBus> {
        @Override
        public VirtioBus convert(String text) {
            return switch (text) {
                case "pci" -> VirtioBus.PCI;
                case "mmio" -> VirtioBus.MMIO;
                default ->
                        throw new TypeConversionException(
                                "'" + text + "' is not a bus of virtio devices: pci, mmio");
            };
        }
    }

    static final class DiskConverter implements ITypeConverter<DiskSpec> {
        @Override
        public DiskSpec convert(String text) {
            try {
                return DiskSpec.parse(text);
            } catch (StorageException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
