package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.javisor.device.MmioDevice;
import org.javisor.device.PioDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A guest that programs configuration space at random. Nothing may throw, identities stay, and what
 * answers at an address is what the order of precedence says, worked out anew from the registers.
 *
 * <p>{@code -Djavisor.fuzz.cases=N} for longer runs, {@code -Djavisor.fuzz.seed=N} to repeat one.
 */
@Timeout(3600)
class PciFuzzTest {
    private static final int CASES = Integer.getInteger("javisor.fuzz.cases", 60_000);
    private static final long SEED = Long.getLong("javisor.fuzz.seed", 20260101);

    private static final int DEVICES = 6;
    private static final long IO_APIC = 0xfec0_0000L;

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final TestBoard board = new TestBoard();
    private final Ecam ecam = new Ecam(board.bus);
    private final List<PciFunction> functions = new ArrayList<>();
    private final Map<Integer, Integer> identities = new TreeMap<>();

    /** Registers that read as the number of their BAR. */
    private record Marker(int number) implements MmioDevice, PioDevice {
        @Override
        public long readMmio(long offset, int size) {
            return number;
        }

        @Override
        public void writeMmio(long offset, int size, long value) {}

        @Override
        public int readPort(int offset, int size) {
            return number;
        }

        @Override
        public void writePort(int offset, int size, int value) {}
    }

    private static int number(int device, int bar) {
        return 10 * device + bar;
    }

    private PciFunction function(int device) {
        PciFunction.Builder builder =
                PciFunction.builder(
                        "d" + device, PciIdentity.of(0x1000 + device, 0x2000 + device, 0x020000));
        int small = 4 << random.nextInt(7);
        builder.bar(0, Bar.memory32(16L << random.nextInt(16), new Marker(number(device, 0))))
                .bar(1, Bar.io(small, new Marker(number(device, 1))))
                .bar(
                        2,
                        Bar.memory64(
                                16L << random.nextInt(40),
                                random.nextBoolean(),
                                new Marker(number(device, 2))))
                .bar(5, Bar.memory32(0x1000, new Marker(number(device, 5))))
                .interruptPin(1 + random.nextInt(4));
        switch (device % 3) {
            case 0 -> builder.msix(4, 1 + random.nextInt(100)).pciExpress();
            case 1 -> builder.msi(1 << random.nextInt(6)).pciExpress();
            default -> builder.msix(4, 2).msi(4).registers(0xf0, scratch());
        }
        return builder.build();
    }

    private static ConfigurationRegisters scratch() {
        return ConfigurationRegisters.builder(8).writable(0, 4, -1).writable(4, 2, 0xff0).build();
    }

    @Test
    void keepsItsOrder_whateverTheGuestPrograms() {
        System.out.println("PCI fuzzed with seed " + SEED + ", " + CASES + " cases");
        board.memory.attach("io-apic", IO_APIC, 0x1000, new Marker(0xa5));
        for (int device = 0; device < DEVICES; device++) {
            PciFunction function = function(device);
            functions.add(function);
            board.bus.plug(new PciAddress(device, 0), function);
            identities.put(device, board.read(device, 0, 4));
        }
        for (int i = 0; i < CASES; i++) {
            act();
            if (i % 16 == 0) {
                checkDecoding();
                board.messages.clear();
            }
            if (i % 1024 == 0) {
                identities.forEach(
                        (device, id) -> {
                            if (plugged(device)) {
                                assertThat(board.read(device, 0, 4)).isEqualTo(id);
                            }
                        });
            }
        }
    }

    private boolean plugged(int device) {
        return board.bus.function(new PciAddress(device, 0)).isPresent();
    }

    private void act() {
        int device = random.nextInt(DEVICES);
        switch (random.nextInt(40)) {
            case 0 -> functions.get(device).intx().drive(random.nextBoolean());
            case 1, 2 -> signal(functions.get(device));
            case 3 -> functions.get(device).restore(functions.get(device).save());
            case 4 -> functions.get(device).reset();
            case 5 -> replug(device);
            case 6, 7 -> board.ports.write(0xcf8 + random.nextInt(8), size(4), random.nextInt());
            case 8 -> board.ports.write(0xcf8, 4, 0x8000_0000 | random.nextInt(1 << 16));
            case 9 -> board.ports.read(0xcf8 + random.nextInt(8), size(4));
            case 10, 11 -> ecam.writeMmio(anyOffset(8), size(8), random.nextLong());
            case 12, 13 -> ecam.readMmio(anyOffset(8), size(8));
            case 14, 15 -> board.memory.write(address(), size(8), random.nextLong());
            case 16, 17 -> board.memory.read(address(), size(8));
            case 18, 19, 20 -> board.write(device, 4, 2, random.nextInt());
            case 21, 22 -> board.write(device, 4, 2, 7);
            default -> moveBar(device);
        }
    }

    private void signal(PciFunction function) {
        int vector = random.nextInt(-1, 101);
        if (function.name().matches("d[14]")) {
            function.msi().signal(vector);
        } else {
            function.msix().signal(vector);
        }
    }

    private void replug(int device) {
        PciAddress address = new PciAddress(device, 0);
        if (plugged(device)) {
            board.bus.unplug(address);
        } else {
            board.bus.plug(address, functions.get(device));
        }
    }

    private void moveBar(int device) {
        int bar = random.nextInt(6);
        if (bar == 1) {
            board.write(device, 0x14, 4, random.nextInt(8) == 0 ? random.nextInt() : port());
            return;
        }
        long address = address();
        board.write(device, 0x10 + 4 * bar, 4, (int) address);
        if (bar == 2) {
            board.write(device, 0x1c, 4, (int) (address >>> 32));
        }
    }

    private int port() {
        return random.nextInt(4) == 0 ? 0xce0 + random.nextInt(0x40) : random.nextInt(0x400);
    }

    /** Often where something is already. */
    private long address() {
        return switch (random.nextInt(10)) {
            case 0 -> IO_APIC - 0x1000 + random.nextInt(0x3000);
            case 1 -> TestBoard.ECAM + random.nextInt(-0x10000, 0x110000);
            case 2 -> 0xfee0_0000L;
            case 3 -> random.nextLong();
            case 4 -> -1L << random.nextInt(64);
            case 5 -> random.nextInt(0x10000);
            case 6 -> 0x8_0000_0000L + random.nextInt(0x100000);
            default -> 0xc000_0000L + random.nextInt(0x20000);
        };
    }

    private long anyOffset(int room) {
        long function = random.nextInt(4) == 0 ? random.nextInt(256) : random.nextInt(DEVICES) * 8;
        int register = random.nextInt(3) == 0 ? random.nextInt(4096) : random.nextInt(256);
        return Math.min((function << 12) + register, Ecam.SIZE - room);
    }

    private int size(int most) {
        return 1 << random.nextInt(most == 8 ? 4 : 3);
    }

    private record Claim(int number, long base, long last, boolean port) {}

    private void checkDecoding() {
        List<Claim> winners = new ArrayList<>();
        for (int device = 0; device < DEVICES; device++) {
            if (!plugged(device)) {
                continue;
            }
            for (int bar = 0; bar < 6; bar++) {
                Claim claim = claim(device, bar);
                if (claim != null && winners.stream().noneMatch(other -> meet(claim, other))) {
                    winners.add(claim);
                }
            }
        }
        for (int i = 0; i < 4; i++) {
            checkMemory(winners, address());
            checkPort(winners, port());
        }
        for (Claim claim : winners) {
            if (claim.port) {
                checkPort(winners, (int) claim.base);
            } else {
                checkMemory(winners, claim.base);
                checkMemory(winners, claim.last);
            }
        }
    }

    private void checkMemory(List<Claim> winners, long address) {
        long expected = 0xff;
        for (Claim claim : winners) {
            if (!claim.port && within(claim, address)) {
                expected = claim.number;
            }
        }
        if (address - IO_APIC >= 0 && address - IO_APIC < 0x1000) {
            expected = 0xa5;
        }
        if (Long.compareUnsigned(address - TestBoard.ECAM, Ecam.SIZE) < 0) {
            return;
        }
        // A table's contents are the guest's.
        if (expected % 10 != 4 || expected == 0xa5) {
            assertThat(board.memory.read(address, 1)).as("%x", address).isEqualTo(expected);
        }
    }

    private void checkPort(List<Claim> winners, int port) {
        if (port >= 0xcf8 && port < 0xd00) {
            return;
        }
        int expected = 0xff;
        for (Claim claim : winners) {
            if (claim.port && within(claim, port)) {
                expected = claim.number;
            }
        }
        assertThat(board.ports.read(port, 1)).as("port %x", port).isEqualTo(expected);
    }

    private static boolean within(Claim claim, long address) {
        return Long.compareUnsigned(address - claim.base, claim.last - claim.base) <= 0;
    }

    private static boolean meet(Claim a, Claim b) {
        return a.port == b.port && (within(a, b.base) || within(b, a.base));
    }

    /** What a BAR claims by its registers and the chips allow; null if nothing. */
    private Claim claim(int device, int bar) {
        Bar shape = functions.get(device).bar(bar).orElse(null);
        int command = board.read(device, 4, 2);
        boolean port = shape instanceof Bar.Io;
        if (shape == null || (command & (port ? 1 : 2)) == 0) {
            return null;
        }
        long base = board.read(device, 0x10 + 4 * bar, 4) & 0xffff_ffffL & -shape.size();
        if (shape.wide()) {
            long upper = board.read(device, 0x14 + 4 * bar, 4);
            base = upper << 32 | base;
        }
        long last = base + shape.size() - 1;
        Claim claim = new Claim(number(device, bar), base, last, port);
        boolean chip =
                port
                        ? last > 0xffff || meet(claim, new Claim(0, 0xcf8, 0xcff, true))
                        : meet(claim, new Claim(0, IO_APIC, IO_APIC + 0xfff, false))
                                || meet(
                                        claim,
                                        new Claim(
                                                0,
                                                TestBoard.ECAM,
                                                TestBoard.ECAM + Ecam.SIZE - 1,
                                                false));
        return base == 0 || chip ? null : claim;
    }
}
