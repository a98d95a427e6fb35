package org.javisor.firmware;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the ACPI tables tell about a machine.
 *
 * @param processors how many; processor n has APIC ID n
 * @param ioApic the interrupt controller of global system interrupts
 * @param keyboardController whether an i8042 that drives a keyboard and a mouse answers at ports
 *     60h and 64h
 * @param pciConfigurationSpace the memory-mapped configuration space of PCI segment 0, if there is
 *     one
 * @param devices write further AML, each into the scope of {@code \_SB}
 */
public record AcpiConfig(
        int processors,
        IoApic ioApic,
        boolean keyboardController,
        Optional<PciConfigurationSpace> pciConfigurationSpace,
        List<Consumer<AmlWriter>> devices) {

    /** As many as the tables have room for. */
    public static final int MAXIMUM_PROCESSORS = 1024;

    /**
     * An I/O APIC.
     *
     * @param id 8 bits
     * @param address guest-physical, below 4 GiB
     * @param firstInterrupt the global system interrupt of its first pin
     */
    public record IoApic(int id, int address, int firstInterrupt) {}

    /**
     * For the MCFG table.
     *
     * @param base guest-physical address of bus 0
     */
    public record PciConfigurationSpace(long base, int firstBus, int lastBus) {}

    public AcpiConfig {
        devices = List.copyOf(devices);
        if (processors < 1 || processors > MAXIMUM_PROCESSORS) {
            throw new FirmwareException(
                    FirmwareException.Code.CONFIGURATION,
                    "A machine has between 1 and %d processors, not %d"
                            .formatted(MAXIMUM_PROCESSORS, processors));
        }
    }

    /**
     * A PC without PCI so far, with two serial ports: one I/O APIC at its usual place, with the
     * first ID that no processor has.
     */
    public static AcpiConfig forProcessors(int processors) {
        return new AcpiConfig(
                processors,
                new IoApic(processors & 0xff, 0xfec0_0000, 0),
                false,
                Optional.empty(),
                List.of());
    }

    public AcpiConfig withKeyboardController() {
        return new AcpiConfig(processors, ioApic, true, pciConfigurationSpace, devices);
    }

    public AcpiConfig withDevices(List<Consumer<AmlWriter>> devices) {
        return new AcpiConfig(
                processors, ioApic, keyboardController, pciConfigurationSpace, devices);
    }

    /** Adds a PCI Express host bridge and its configuration space. */
    public AcpiConfig withPci(PciRoot root) {
        List<Consumer<AmlWriter>> all = new ArrayList<>(devices);
        all.add(root);
        return withPciConfigurationSpace(root.configurationSpace()).withDevices(all);
    }

    public AcpiConfig withPciConfigurationSpace(PciConfigurationSpace space) {
        return new AcpiConfig(processors, ioApic, keyboardController, Optional.of(space), devices);
    }
}
