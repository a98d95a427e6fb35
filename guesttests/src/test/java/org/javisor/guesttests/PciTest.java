package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.chipset.Serial16550;
import org.javisor.device.MmioDevice;
import org.javisor.device.PioDevice;
import org.javisor.machine.PciDevice;
import org.javisor.pci.Bar;
import org.javisor.pci.PciAddress;
import org.javisor.pci.PciFunction;
import org.javisor.pci.PciIdentity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** What a stock kernel finds on the PCI bus, what it does with it and what it says about it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class PciTest {
    private static final String SAMPLE = "/sys/bus/pci/devices/0000:00:01.0/";

    private final AtomicInteger resets = new AtomicInteger();
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private DebianGuest guest;

    /** A function with every kind of BAR, whose registers read as their own offset. */
    private PciFunction sample() {
        return PciFunction.builder("sample", PciIdentity.of(0x1b36, 0x0005, 0xff0000))
                .bar(0, Bar.memory32(0x1000, new Offsets()))
                .bar(1, Bar.memory64(0x10_0000, true, new Offsets()))
                .bar(3, Bar.io(0x20, new Offsets()))
                .msix(4, 3)
                .interruptPin(1)
                .pciExpress()
                .onReset(resets::incrementAndGet)
                .build();
    }

    /** A PCI serial card, as the kernel's own driver knows it: a 16550 that uses INTx. */
    private final class SerialCard implements PioDevice {
        final PciFunction function =
                PciFunction.builder("serial-card", PciIdentity.of(0x1b36, 0x0002, 0x070002))
                        .bar(0, Bar.io(8, this))
                        .interruptPin(1)
                        .build();

        final Serial16550 uart = new Serial16550(function.intx(), sent::write);

        @Override
        public int readPort(int offset, int size) {
            return uart.readPort(offset, size);
        }

        @Override
        public void writePort(int offset, int size, int value) {
            uart.writePort(offset, size, value);
        }
    }

    private static final class Offsets implements MmioDevice, PioDevice {
        @Override
        public long readMmio(long offset, int size) {
            return offset & -1L >>> 64 - 8 * size;
        }

        @Override
        public void writeMmio(long offset, int size, long value) {}

        @Override
        public int readPort(int offset, int size) {
            return offset;
        }

        @Override
        public void writePort(int offset, int size, int value) {}
    }

    @BeforeAll
    void boot() throws InterruptedException {
        DebianGuest.Kernel kernel = new DebianGuest.Kernel(false, "8250.nr_uarts=3", false);
        guest =
                DebianGuest.start(
                                GuestImage.require("tiny"),
                                kernel,
                                config ->
                                        config.device(parts -> PciDevice.of(sample()))
                                                .device(
                                                        new PciAddress(0x1f, 3),
                                                        parts -> PciDevice.of(sample()))
                                                .device(
                                                        new PciAddress(0x1f, 0),
                                                        parts ->
                                                                PciDevice.of(
                                                                        new SerialCard().function)))
                        .awaitPrompt();
    }

    @AfterAll
    void end() {
        if (guest != null) {
            guest.close();
        }
    }

    private String run(String command) throws InterruptedException {
        return guest.run(command).output().strip();
    }

    @Test
    void findsEveryFunction_whenItBoots() throws InterruptedException {
        assertThat(
                        run(
                                "for d in /sys/bus/pci/devices/*; do echo ${d##*/} $(cat $d/vendor"
                                        + " $d/device $d/class); done"))
                .isEqualTo(
                        """
                        0000:00:00.0 0x1b36 0x0008 0x060000
                        0000:00:01.0 0x1b36 0x0005 0xff0000
                        0000:00:1f.0 0x1b36 0x0002 0x070002
                        0000:00:1f.3 0x1b36 0x0005 0xff0000""");
        assertThat(run("stat -c %s " + SAMPLE + "config")).isEqualTo("4096");
    }

    @Test
    void complainsOfNothing_whenItEnumeratesTheBus() throws InterruptedException {
        assertThat(run("dmesg | grep -c 'PCI Root Bridge'")).isEqualTo("1");
        assertThat(run("dmesg | grep 'ECAM.*bus 00-00'")).contains("e0000000");
        assertThat(run("dmesg | grep '_OSC: OS now controls'")).contains("PCIeCapability");
        // The kernel's own level of each line: 4 is a warning, below are errors.
        assertThat(run("dmesg -r | grep -E '^<[0-4]>' | grep -iE 'pci|acpi|bar|resource|msi'"))
                .isEmpty();
        assertThat(
                        run(
                                "dmesg | grep -iE 'pci|acpi' | grep -iE"
                                        + " 'fail|error|conflict|invalid|cannot|unable|no compat'"))
                .isEmpty();
    }

    @Test
    void reachesTheRegisters_whereverTheirBarsAre() throws InterruptedException {
        String[] ranges = run("cut -d' ' -f1 " + SAMPLE + "resource").split("\n");
        for (int bar : new int[] {0, 1}) {
            long base = Long.decode(ranges[bar]);
            assertThat(run("devmem 0x%x 32".formatted(base + 0x124))).isEqualTo("0x00000124");
        }
        assertThat(Long.decode(ranges[1])).isGreaterThan(1L << 32);
        assertThat(Long.decode(ranges[3])).isBetween(0x1000L, 0xffffL);
    }

    @Test
    void resetsAndForgetsAndFindsAgain_whenTold() throws InterruptedException {
        assertThat(run("cat " + SAMPLE + "reset_method")).isEqualTo("flr");
        int before = resets.get();
        assertThat(run("echo 1 > " + SAMPLE + "reset && echo done")).isEqualTo("done");
        assertThat(resets.get()).isEqualTo(before + 1);
        String found =
                run(
                        "echo 1 > %sremove; ls -d %s 2>&1; echo 1 > /sys/bus/pci/rescan; cat %svendor"
                                .formatted(SAMPLE, SAMPLE, SAMPLE));
        assertThat(found).isEqualTo("ls: %s: No such file or directory\n0x1b36".formatted(SAMPLE));
        // The kernel chooses new places, which need not be the old ones.
        reachesTheRegisters_whereverTheirBarsAre();
    }

    @Test
    void takesInterrupts_whenACardDrivesItsLine() throws InterruptedException {
        assertThat(run("dmesg | grep 'ttyS2'")).contains("0000:00:1f.0", "16550A");
        run("stty -F /dev/ttyS2 raw; echo hello > /dev/ttyS2");
        assertThat(sent.toString(StandardCharsets.ISO_8859_1)).contains("hello\n");
        // Device 1f's INTA is line 3; the kernel lets go of the interrupt when the port closes.
        assertThat(
                        run(
                                "exec 3<>/dev/ttyS2; echo again >&3; grep ttyS2 /proc/interrupts; exec 3>&-"))
                .containsPattern("19: +[1-9][0-9]* +IO-APIC +19-fasteoi +ttyS2");
    }
}
