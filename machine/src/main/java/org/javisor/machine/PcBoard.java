package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.javisor.chipset.AcpiPm;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.IsaInterrupts;
import org.javisor.chipset.KeyboardController8042;
import org.javisor.chipset.PcPorts;
import org.javisor.chipset.PicPair;
import org.javisor.chipset.Pit8254;
import org.javisor.chipset.ResetControl;
import org.javisor.chipset.Rtc146818;
import org.javisor.chipset.Serial16550;
import org.javisor.chipset.SystemControlPortA;
import org.javisor.chipset.SystemControlPortB;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.device.PioDevice;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.PciAddress;
import org.javisor.pci.PciBus;
import org.javisor.pci.PciFunction;
import org.javisor.virtio.VirtioDevice;

/** The chips of a PC and the wires between them. The one place that knows which chip is where. */
final class PcBoard {
    private final PioBus ports = new PioBus();
    private final MmioBus memory = new MmioBus();
    private final ProcessorApics apics;
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
    private final PioDevice edgeLevel;

    /**
     * @param vm has no processors yet
     * @param ram where the machine has it
     */
    PcBoard(
            Vm vm,
            List<GuestMemory.Range> ram,
            Clock clock,
            SerialLine com1,
            SerialLine com2,
            GuestRequests requests) {
        this.clock = clock;
        apics = ProcessorApics.of(vm, clock);
        PicPair pics = new PicPair(apics.intr());
        IoApic ioApic = new IoApic(apics.bus());
        apics.attach(pics);
        apics.attach(ioApic);
        IsaInterrupts isa = new IsaInterrupts(pics, ioApic);
        power = new AcpiPm(clock, isa.line(PcPorts.SCI_IRQ), requests::powerOff);
        devices.add(power);
        ports.attach("acpi-pm", PcPorts.PM_BASE, PcPorts.PM_SIZE, power);
        addTimers(ram.stream().mapToLong(GuestMemory.Range::size).sum(), isa);
        addSerial("com1", PcPorts.COM1, PcPorts.COM1_IRQ, isa, com1);
        addSerial("com2", PcPorts.COM2, PcPorts.COM2_IRQ, isa, com2);
        pci =
                new PciBoard(
                        memory,
                        ports,
                        apics.messages(),
                        pciLines(pics, ioApic),
                        addResets(isa, requests),
                        PciBoard.windows(ram));
        mmio = new MmioBoard(memory, ioApic);
        devices.add(ioApic);
        devices.add(pics);
        ports.attach("pic", PcPorts.PIC_MASTER, PcPorts.PIC_SIZE, pics.master());
        ports.attach("pic", PcPorts.PIC_SLAVE, PcPorts.PIC_SIZE, pics.slave());
        edgeLevel = pics.edgeLevel();
        ports.attach("pic", PcPorts.PIC_EDGE_LEVEL, PcPorts.PIC_SIZE, edgeLevel);
        memory.attach("io-apic", PcPorts.IO_APIC, PcPorts.IO_APIC_SIZE, ioApic);
    }

    /**
     * Each line has an input of the I/O APIC for itself; at the PIC, with fewer inputs, two share
     * one.
     */
    private static List<InterruptLine> pciLines(PicPair pics, IoApic ioApic) {
        SharedLine even = new SharedLine(pics.input(PcPorts.PCI_IRQ_EVEN));
        SharedLine odd = new SharedLine(pics.input(PcPorts.PCI_IRQ_ODD));
        List<InterruptLine> lines = new ArrayList<>();
        for (int i = 0; i < PciBus.INTERRUPT_LINES; i++) {
            InterruptLine apic = ioApic.input(PcPorts.PCI_IO_APIC_INPUT + i);
            InterruptLine pic = (i % 2 == 0 ? even : odd).newInput();
            lines.add(
                    asserted -> {
                        pic.drive(asserted);
                        apic.drive(asserted);
                    });
        }
        return lines;
    }

    private void addTimers(long memoryBytes, IsaInterrupts isa) {
        Pit8254 pit = new Pit8254(clock, isa.line(PcPorts.PIT_IRQ));
        SystemControlPortB portB = new SystemControlPortB(pit, clock);
        Rtc146818 rtc = new Rtc146818(clock, isa.line(PcPorts.RTC_IRQ));
        tellMemorySize(rtc, memoryBytes);
        devices.addAll(List.of(pit, portB, rtc));
        ports.attach("pit", PcPorts.PIT, PcPorts.PIT_SIZE, pit);
        ports.attach("port-61", PcPorts.SYSTEM_CONTROL_B, 1, portB);
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

    private void addSerial(String name, int base, int irq, IsaInterrupts isa, SerialLine line) {
        Serial16550 uart = new Serial16550(isa.line(irq), line.backend());
        line.connect(uart);
        devices.add(uart);
        ports.attach(name, base, PcPorts.SERIAL_SIZE, uart);
    }

    /** Returns the one that is not at ports of its own. */
    private ResetControl addResets(IsaInterrupts isa, GuestRequests requests) {
        KeyboardController8042 keyboard =
                new KeyboardController8042(
                        isa.line(PcPorts.KEYBOARD_IRQ),
                        isa.line(PcPorts.MOUSE_IRQ),
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
        apics.connect(vcpu, ios.get(vcpu.index()));
    }

    /**
     * @throws MachineException BAD_CONFIGURATION if the slot is taken or none is left
     */
    /** Adds a virtio device that is not on PCI. */
    void plug(String name, VirtioDevice device, GuestMemory ram) {
        devices.addFirst(mmio.plug(name, device, ram));
    }

    void plug(Optional<PciAddress> address, PciFunction function) {
        pci.plug(address, function);
    }

    /** Sets the chips up as a PC's firmware does before it starts an operating system. */
    void prepareForBoot() {
        int edgeOrLevel = 1 << PcPorts.PCI_IRQ_EVEN - 8 | 1 << PcPorts.PCI_IRQ_ODD - 8;
        edgeLevel.writePort(1, 1, edgeOrLevel);
        pci.configure();
    }

    void pressPowerButton() {
        power.pressPowerButton();
    }

    /** Pulls the reset line; the processors stand still. */
    void reset() {
        pci.reset();
        devices.forEach(Device::reset);
        apics.reset();
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
