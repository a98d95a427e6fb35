package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.VirtioDevices;
import org.javisor.machine.WatchdogAction;
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
                "cache=…, discard=off, enospc=…; see docs/virtio.md."
            })
    List<DiskSpec> disks = new ArrayList<>();

    @Option(
            names = "--watchdog",
            paramLabel = "ACTION",
            converter = WatchdogConverter.class,
            description = {
                "Add a watchdog timer (i6300esb); when the guest lets",
                "it run out: reset, poweroff, pause or none; see docs/pci.md."
            })
    Optional<WatchdogAction> watchdog = Optional.empty();

    /** Plugs the devices in, in an order that does not depend on the order of options. */
    void plug(MachineConfig.Builder builder) {
        for (int i = 0; i < disks.size(); i++) {
            builder.device(VirtioDevices.disk(i, disks.get(i)));
        }
        watchdog.ifPresent(builder::watchdog);
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
