package org.javisor.machine;

import java.util.List;
import java.util.Optional;
import org.javisor.chipset.PcPorts;
import org.javisor.device.Clock;
import org.javisor.device.Doorbells;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SmallGuest;
import org.javisor.virtio.VirtioPci;
import org.javisor.virtio.rng.VirtioRng;

/** A small guest on a machine's board, on any engine, with a source of random numbers on PCI. */
final class BoardRig implements Hypervisor, AutoCloseable {
    static final int RANDOM = 0x5a;

    /** The virtio device's slot, its BARs, and where their parts are. */
    private static final int SLOT = 1;

    private static final int NOTIFY = 0x3000, ISR = 0x1000;
    private static final int CAPABILITIES = 0x34, MSIX = 0x11;

    /** The queue's three areas, and the buffer that is to be filled. */
    static final long DESCRIPTORS = 0x60000, DRIVER = 0x61000, DEVICE = 0x62000, BUFFER = 0x63000;

    private final Hypervisor engine;
    private final InterruptChips chips;
    private final SmallGuest guest;
    private InterruptWiring interrupts;
    private PcBoard board;
    private Optional<Doorbells> doorbells = Optional.empty();
    private final VcpuIo io;

    BoardRig(Hypervisor engine, InterruptChips chips) {
        this.engine = engine;
        this.chips = chips;
        guest = new SmallGuest(this);
        io = board.newIo();
        guest.devices(io);
        board.connect(guest.vcpu());
        board.prepareForBoot();
        long present = PageTables.PRESENT | PageTables.WRITABLE;
        guest.tables().mapIdentity(PcPorts.LOCAL_APIC, 0x1000, present);
        guest.tables().mapIdentity(PcPorts.IO_APIC, 0x1000, present);
        guest.tables().mapIdentity(registers(), 0x4000, present);
    }

    @Override
    public String name() {
        return engine.name();
    }

    @Override
    public CpuidTable cpuid() {
        return engine.cpuid();
    }

    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        Vm vm = engine.createVm(memory, clock);
        if (chips != InterruptChips.OWN) {
            doorbells = vm.doorbells(failure -> {});
        }
        interrupts = InterruptWiring.of(vm, clock, chips);
        board =
                new PcBoard(
                        interrupts,
                        doorbells,
                        List.of(new GuestMemory.Range(0, memory.size())),
                        clock,
                        new SerialLine("com1", ByteSink.NONE, text -> {}),
                        new SerialLine("com2", ByteSink.NONE, text -> {}),
                        new NoRequests());
        VirtioRng rng = new VirtioRng("rng", bytes -> java.util.Arrays.fill(bytes, (byte) RANDOM));
        board.plug(Optional.empty(), new VirtioPci("virtio-rng", rng, memory, false).function());
        return vm;
    }

    SmallGuest guest() {
        return guest;
    }

    InterruptWiring interrupts() {
        return interrupts;
    }

    // The device's driver, as far as it need not be the guest

    private int config(int offset) {
        io.writePort(0xcf8, 4, 1 << 31 | SLOT << 11 | offset & ~3);
        return io.readPort(0xcfc, 4);
    }

    private void setConfig(int offset, int value) {
        io.writePort(0xcf8, 4, 1 << 31 | SLOT << 11 | offset & ~3);
        io.writePort(0xcfc, 4, value);
    }

    private long bar(int index) {
        return config(0x10 + 4 * index) & 0xfffffff0L;
    }

    private long registers() {
        return bar(0);
    }

    /** Where queue 0 is notified. */
    long notification() {
        return registers() + NOTIFY;
    }

    long interruptStatus() {
        return registers() + ISR;
    }

    /** Vector 0 of the device's MSI-X sends this. */
    void useMessages(long address, int data) {
        int at = config(CAPABILITIES) & 0xff;
        while ((config(at) & 0xff) != MSIX) {
            at = config(at) >> 8 & 0xff;
        }
        setConfig(at, config(at) | 1 << 31);
        io.writeMmio(bar(1), 4, address);
        io.writeMmio(bar(1) + 4, 4, 0);
        io.writeMmio(bar(1) + 8, 4, data);
        io.writeMmio(bar(1) + 12, 4, 0);
        io.writeMmio(registers() + 0x16, 2, 0);
        io.writeMmio(registers() + 0x1a, 2, 0);
    }

    /** Makes the device ready and offers it a buffer; what remains is the notification. */
    void startDevice() {
        setConfig(4, config(4) & 0xffff | 6);
        long r = registers();
        io.writeMmio(r + 0x14, 1, 3);
        io.writeMmio(r + 0x08, 4, 1);
        io.writeMmio(r + 0x0c, 4, 1); // VERSION_1
        io.writeMmio(r + 0x14, 1, 11);
        io.writeMmio(r + 0x16, 2, 0);
        io.writeMmio(r + 0x18, 2, 8);
        io.writeMmio(r + 0x20, 8, DESCRIPTORS);
        io.writeMmio(r + 0x28, 8, DRIVER);
        io.writeMmio(r + 0x30, 8, DEVICE);
        io.writeMmio(r + 0x1c, 2, 1);
        io.writeMmio(r + 0x14, 1, 15);
        GuestMemory memory = guest.memory();
        memory.write64(DESCRIPTORS, BUFFER);
        memory.write32(DESCRIPTORS + 8, 16);
        memory.write16(DESCRIPTORS + 12, 2);
        memory.write16(DRIVER + 2, 1);
    }

    @Override
    public void close() {
        doorbells.ifPresent(Doorbells::stop);
        guest.close();
    }

    private static final class NoRequests implements GuestRequests {
        @Override
        public void powerOff() {}

        @Override
        public void reset(String cause) {}

        @Override
        public void pause(String cause) {}

        @Override
        public void watchdogExpired(WatchdogAction action) {}
    }
}
