package org.javisor.machine;

import java.util.List;
import java.util.Optional;
import org.javisor.chipset.PcPorts;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.device.PioDevice;
import org.javisor.firmware.PciRoot;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.ConfigurationPorts;
import org.javisor.pci.Ecam;
import org.javisor.pci.HostBridge;
import org.javisor.pci.PciAddress;
import org.javisor.pci.PciBus;
import org.javisor.pci.PciFirmware;
import org.javisor.pci.PciFunction;
import org.javisor.pci.PciWindows;

/** The PCI part of the board: the bus, its host bridge and where they are in the machine. */
final class PciBoard {
    private static final List<Integer> IO_APIC_INPUTS =
            List.of(
                    PcPorts.PCI_IO_APIC_INPUT,
                    PcPorts.PCI_IO_APIC_INPUT + 1,
                    PcPorts.PCI_IO_APIC_INPUT + 2,
                    PcPorts.PCI_IO_APIC_INPUT + 3);

    private static final List<Integer> IRQS =
            List.of(
                    PcPorts.PCI_IRQ_EVEN,
                    PcPorts.PCI_IRQ_ODD,
                    PcPorts.PCI_IRQ_EVEN,
                    PcPorts.PCI_IRQ_ODD);

    private final PciBus bus;
    private final PciWindows windows;
    private final ConfigurationPorts configuration;

    /**
     * @param lines as many as the bus has
     * @param resetControl in the middle of the configuration ports
     */
    PciBoard(
            MmioBus memory,
            PioBus ports,
            MessageInterrupts messages,
            List<InterruptLine> lines,
            PioDevice resetControl,
            PciWindows windows) {
        this.windows = windows;
        bus = new PciBus(memory, ports, messages, lines);
        configuration = new ConfigurationPorts(bus, resetControl);
        ports.attach("pci-config", ConfigurationPorts.BASE, ConfigurationPorts.SIZE, configuration);
        memory.attach("pci-ecam", windows.configuration(), Ecam.SIZE, new Ecam(bus));
        bus.plug(HostBridge.ADDRESS, HostBridge.create());
    }

    /** Where a machine with this RAM has PCI. */
    static PciWindows windows(List<GuestMemory.Range> ram) {
        GuestMemory.Range last = ram.getLast();
        return PciWindows.above(last.base() + last.size());
    }

    /** What ACPI says about it. */
    static PciRoot describe(PciWindows windows) {
        return new PciRoot(
                windows.configuration(),
                Ecam.SIZE,
                new PciRoot.Window(windows.low().base(), windows.low().size()),
                new PciRoot.Window(windows.high().base(), windows.high().size()),
                (device, pin) -> PciBus.interruptLine(device, pin + 1),
                IO_APIC_INPUTS,
                IRQS);
    }

    /**
     * @throws MachineException BAD_CONFIGURATION if the slot is taken or none is left
     */
    void plug(Optional<PciAddress> address, PciFunction function) {
        try {
            address.ifPresentOrElse(at -> bus.plug(at, function), () -> bus.plug(function));
        } catch (IllegalStateException e) {
            throw new MachineException(MachineException.Code.BAD_CONFIGURATION, e.getMessage(), e);
        }
    }

    /** Pulls the reset line. */
    void reset() {
        configuration.reset();
        bus.functions().values().forEach(Device::reset);
    }

    /** Places BARs and sets interrupts, as firmware does before it starts an operating system. */
    void configure() {
        PciFirmware.configure(bus, windows, IRQS);
    }
}
