package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.VirtioDevices;
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

    /** Plugs the devices in, in an order that does not depend on the order of options. */
    void plug(MachineConfig.Builder builder) {
        for (int i = 0; i < disks.size(); i++) {
            builder.device(VirtioDevices.disk(i, disks.get(i)));
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
