package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.javisor.chipset.AcpiPm;
import org.javisor.chipset.KeyboardController8042;
import org.javisor.chipset.PcPorts;
import org.javisor.chipset.ResetControl;
import org.javisor.chipset.Rtc146818;
import org.javisor.chipset.Serial16550;
import org.javisor.chipset.SystemControlPortA;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.Doorbells;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.PciAddress;
import org.javisor.pci.PciBus;
import org.javisor.pci.PciFunction;
import org.javisor.virtio.VirtioDevice;

/** The chips of a PC and the wires between them. The one place that knows which chip is where. */
final class PcBoard {
    private final PioBus ports = new PioBus();
    private final MmioBus memory = new MmioBus();
    private final InterruptWiring interrupts;
    private final Clock clock;
    private final AcpiPm power;
    private final List<BoardIo> ios = new ArrayList<>();

    /**
     * In the order in which a reset reaches them: interrupt sources before the controllers they
     * drive.
     */
    private final List<Device<?>> devices = new ArrayList<>();

    private final PciBoard pci;
    private final MmioBoard mmio;

    /**
     * @param interrupts serves no processors yet
     * @param doorbells signals virtio devices' notifications, if the engine can
     * @param ram where the machine has it
     */
    PcBoard(
            InterruptWiring interrupts,
            Optional<Doorbells> doorbells,
            List<GuestMemory.Range> ram,
            Clock clock,
            SerialLine com1,
            SerialLine com2,
            GuestRequests requests) {
        this.interrupts = interrupts;
        this.clock = clock;
        doorbells.ifPresent(memory::connect);
        power = new AcpiPm(clock, interrupts.isa(PcPorts.SCI_IRQ), requests::powerOff);
        devices.add(power);
        ports.attach("acpi-pm", PcPorts.PM_BASE, PcPorts.PM_SIZE, power);
        addClock(ram.stream().mapToLong(GuestMemory.Range::size).sum());
        addSerial("com1", PcPorts.COM1, PcPorts.COM1_IRQ, com1);
        addSerial("com2", PcPorts.COM2, PcPorts.COM2_IRQ, com2);
        pci =
                new PciBoard(
                        memory,
                        ports,
                        interrupts.messages(),
                        pciLines(interrupts),
                        addResets(requests),
                        PciBoard.windows(ram));
        mmio = new MmioBoard(memory, interrupts);
        interrupts.attach(ports, memory);
    }

    /**
     * Each line has an input of the I/O APIC for itself; at the PIC, with fewer inputs, two share
     * one.
     */
    private static List<InterruptLine> pciLines(InterruptWiring interrupts) {
        SharedLine even = new SharedLine(interrupts.pic(PcPorts.PCI_IRQ_EVEN));
        SharedLine odd = new SharedLine(interrupts.pic(PcPorts.PCI_IRQ_ODD));
        List<InterruptLine> lines = new ArrayList<>();
        for (int i = 0; i < PciBus.INTERRUPT_LINES; i++) {
            InterruptLine apic = interrupts.ioApic(PcPorts.PCI_IO_APIC_INPUT + i);
            InterruptLine pic = (i % 2 == 0 ? even : odd).newInput();
            lines.add(
                    asserted -> {
                        pic.drive(asserted);
                        apic.drive(asserted);
                    });
        }
        return lines;
    }

    private void addClock(long memoryBytes) {
        Rtc146818 rtc = new Rtc146818(clock, interrupts.isa(PcPorts.RTC_IRQ));
        tellMemorySize(rtc, memoryBytes);
        devices.add(rtc);
        ports.attach("rtc", PcPorts.RTC, PcPorts.RTC_SIZE, rtc);
    }

    /**
     * What a PC's BIOS leaves in CMOS: KiB below 640K, KiB above 1M up to 64M, 64-KiB blocks from
     * 16M up to 4G.
     */
    private static void tellMemorySize(Rtc146818 rtc, long bytes) {
        putCmos(rtc, 0x15, 640);
        int extended = (int) Math.min(0xffff, (bytes >> 10) - 1024);
        putCmos(rtc, 0x17, extended);
        putCmos(rtc, 0x30, extended);
        putCmos(rtc, 0x34, Math.clamp((bytes >> 16) - 256, 0, 0xbf00));
    }

    private static void putCmos(Rtc146818 rtc, int address, int word) {
        rtc.setCmos(address, word & 0xff);
        rtc.setCmos(address + 1, word >> 8);
    }

    private void addSerial(String name, int base, int irq, SerialLine line) {
        Serial16550 uart = new Serial16550(interrupts.isa(irq), line.backend());
        line.connect(uart);
        devices.add(uart);
        ports.attach(name, base, PcPorts.SERIAL_SIZE, uart);
    }

    /** Returns the one that is not at ports of its own. */
    private ResetControl addResets(GuestRequests requests) {
        KeyboardController8042 keyboard =
                new KeyboardController8042(
                        interrupts.isa(PcPorts.KEYBOARD_IRQ),
                        interrupts.isa(PcPorts.MOUSE_IRQ),
                        () -> requests.reset("keyboard controller"));
        ResetControl resetControl =
                new ResetControl(() -> requests.reset("reset control register"));
        SystemControlPortA portA = new SystemControlPortA(() -> requests.reset("port 92h"));
        devices.addAll(List.of(keyboard, resetControl, portA));
        ports.attach("i8042", PcPorts.I8042_DATA, 1, keyboard.data());
        ports.attach("i8042", PcPorts.I8042_COMMAND, 1, keyboard.command());
        ports.attach("port-92", PcPorts.SYSTEM_CONTROL_A, 1, portA);
        return resetControl;
    }

    /**
     * A new processor's way to the board; {@link #connect} completes it once the processor exists.
     */
    VcpuIo newIo() {
        BoardIo io = new BoardIo(ports, memory);
        ios.add(io);
        return io;
    }

    /** Gives the processor a local APIC. To be called in the order of {@link #newIo}. */
    void connect(Vcpu vcpu) {
        interrupts.connect(vcpu, ios.get(vcpu.index()));
    }

    /** Adds a virtio device that is not on PCI. */
    void plug(String name, VirtioDevice device, GuestMemory ram) {
        devices.addFirst(mmio.plug(name, device, ram));
    }

    /**
     * @throws MachineException BAD_CONFIGURATION if the slot is taken or none is left
     */
    void plug(Optional<PciAddress> address, PciFunction function) {
        pci.plug(address, function);
    }

    /** Sets the chips up as a PC's firmware does before it starts an operating system. */
    void prepareForBoot() {
        interrupts.setLevelTriggered(1 << PcPorts.PCI_IRQ_EVEN | 1 << PcPorts.PCI_IRQ_ODD);
        pci.configure();
    }

    void pressPowerButton() {
        power.pressPowerButton();
    }

    /** Pulls the reset line; the processors stand still. */
    void reset() {
        pci.reset();
        devices.forEach(Device::reset);
        interrupts.reset();
    }

    Map<String, Long> portAccesses() {
        return ports.accesses();
    }

    Map<String, Long> mmioAccesses() {
        Map<String, Long> result = new TreeMap<>(memory.accesses());
        result.put("local-apic", ios.stream().mapToLong(BoardIo::apicAccesses).sum());
        return result;
    }
}
