package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.javisor.chipset.PcPorts;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioBus;
import org.javisor.firmware.AmlWriter;
import org.javisor.firmware.ResourceTemplate;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.PciBus;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioMmio;

/**
 * The virtio devices that are not on PCI: where they are, which interrupts they share, and how ACPI
 * declares them. Works only for guests that use the I/O APIC, as all do that read ACPI.
 */
final class MmioBoard {
    /** As many as Linux finds fast; more belong on PCI. */
    static final int MOST_DEVICES = 16;

    /** Below the I/O APIC, above everything that PCI uses. */
    private static final long BASE = 0xfeb00000L;

    /** I/O APIC inputs that neither ISA nor PCI uses. */
    private static final int FIRST_INPUT = PcPorts.PCI_IO_APIC_INPUT + PciBus.INTERRUPT_LINES;

    private static final int INPUTS = 4;

    private final MmioBus bus;
    private final List<SharedLine> lines = new ArrayList<>();
    private int count;

    MmioBoard(MmioBus bus, InterruptWiring interrupts) {
        this.bus = bus;
        for (int i = 0; i < INPUTS; i++) {
            lines.add(new SharedLine(interrupts.ioApic(FIRST_INPUT + i)));
        }
    }

    private static long address(int index) {
        return BASE + index * VirtioMmio.SIZE;
    }

    VirtioMmio plug(String name, VirtioDevice device, GuestMemory memory) {
        int index = count++;
        InterruptLine line = lines.get(index % INPUTS).newInput();
        VirtioMmio transport = new VirtioMmio(device, memory, line, true);
        bus.attach(name, address(index), VirtioMmio.SIZE, transport);
        return transport;
    }

    /** The devices in AML, as Linux finds them. */
    static List<Consumer<AmlWriter>> describe(int devices) {
        List<Consumer<AmlWriter>> all = new ArrayList<>();
        for (int i = 0; i < devices; i++) {
            int index = i;
            all.add(
                    scope ->
                            scope.device(
                                    "VR%02d".formatted(index), device -> describe(index, device)));
        }
        return all;
    }

    private static void describe(int index, AmlWriter device) {
        device.name("_HID", "LNRO0005")
                .name("_UID", index)
                .name(
                        "_CRS",
                        new ResourceTemplate()
                                .memory32(address(index), VirtioMmio.SIZE)
                                .sharedInterrupt(FIRST_INPUT + index % INPUTS));
    }
}
