package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.Ecam;
import org.javisor.pci.PciBus;
import org.javisor.testkit.FakeClock;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every register of every device at random, by both transports: the device's own configuration
 * space most often, what sets up queues, MSI-X, and the function's PCI configuration space with its
 * window into the registers. Nothing throws; reads fit their size; after a reset the device can
 * still be found and negotiated with.
 *
 * <p>{@code -Dvirtio.fuzz=CASES} and {@code -Dvirtio.seed=SEED} make it longer and another.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class RegisterFuzzTest {
    private static final int CASES = Integer.getInteger("virtio.fuzz", 10_000);
    private static final long SEED = Long.getLong("virtio.seed", 20260101);

    private static final long MEMORY = 1 << 20;
    private static final int FUNCTION = 1 << 15;
    private static final long REGISTERS = 0xc000_0000L;
    private static final long VECTORS = 0xc001_0000L;

    @TempDir static Path folder;

    private final Random random = new Random(SEED);

    static Stream<FuzzTargets.Target> targets() {
        return FuzzTargets.all(folder);
    }

    @ParameterizedTest
    @MethodSource("targets")
    void registersEndureAnything(FuzzTargets.Target target) {
        System.out.printf("registers of %s: seed %d, %d cases%n", target, SEED, CASES);
        Queue<Throwable> escaped = new ConcurrentLinkedQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> escaped.add(e));
        try {
            byMmio(target);
            byPci(target);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        assertThat(escaped).isEmpty();
    }

    private void byMmio(FuzzTargets.Target target) {
        VirtioDevice device = target.device().apply(new FakeClock());
        try (GuestMemory memory = GuestMemory.allocate(MEMORY)) {
            VirtioMmio transport = new VirtioMmio(device, memory, on -> {}, true);
            for (int i = 0; i < CASES / 2; i++) {
                int size = size();
                int offset = random.nextInt(4) == 0 ? 4 * random.nextInt(64) : device(0x100, 80);
                if (random.nextBoolean()) {
                    assertThat(fits(transport.readMmio(offset, size), size)).isTrue();
                } else if (offset == 0x70) {
                    transport.writeMmio(offset, 4, status());
                } else {
                    transport.writeMmio(offset, size, value());
                }
            }
            transport.writeMmio(0x70, 4, 0);
            assertThat(transport.readMmio(0x70, 4)).isZero();
            assertThat(transport.readMmio(0x08, 4)).isEqualTo(device.deviceId());
            device.close();
        }
    }

    private void byPci(FuzzTargets.Target target) {
        VirtioDevice device = target.device().apply(new FakeClock());
        try (GuestMemory memory = GuestMemory.allocate(MEMORY)) {
            VirtioPci transport = new VirtioPci("fuzz", device, memory, true);
            MmioBus mmio = new MmioBus();
            PciBus bus =
                    new PciBus(
                            mmio,
                            new PioBus(),
                            (address, data) -> {},
                            Collections.nCopies(4, on -> {}));
            Ecam ecam = new Ecam(bus);
            bus.plug(transport.function());
            for (int i = 0; i < CASES / 2; i++) {
                if (i % 64 == 0) {
                    place(ecam);
                }
                step(ecam, mmio);
            }
            place(ecam);
            mmio.write(REGISTERS + CommonRegisters.STATUS, 1, 0);
            assertThat(mmio.read(REGISTERS + CommonRegisters.STATUS, 1)).isZero();
            assertThat(ecam.readMmio(FUNCTION, 4))
                    .isEqualTo(0x1af4L | 0x1040L + device.deviceId() << 16);
            device.close();
        }
    }

    private static void place(Ecam ecam) {
        ecam.writeMmio(FUNCTION + 0x10, 4, REGISTERS);
        ecam.writeMmio(FUNCTION + 0x14, 4, VECTORS);
        ecam.writeMmio(FUNCTION + 4, 2, 6);
    }

    private void step(Ecam ecam, MmioBus mmio) {
        int size = size();
        int choice = random.nextInt(16);
        if (choice < 4) {
            int offset = FUNCTION + random.nextInt(random.nextInt(4) == 0 ? 4088 : 256);
            access(ecam::readMmio, ecam::writeMmio, offset, size);
            return;
        }
        long address =
                switch (choice) {
                    case 4, 5, 6 -> REGISTERS + random.nextInt(64);
                    case 7 -> VECTORS + random.nextInt(0x1000);
                    case 8 -> REGISTERS + random.nextInt(0x4000);
                    default -> REGISTERS + device(VirtioPci.DEVICE, 80);
                };
        if (address == REGISTERS + CommonRegisters.STATUS) {
            mmio.write(address, 1, status());
        } else {
            access(mmio::read, mmio::write, address, size);
        }
    }

    private interface Read {
        long at(long address, int size);
    }

    private interface Write {
        void at(long address, int size, long value);
    }

    private void access(Read read, Write write, long address, int size) {
        if (random.nextBoolean()) {
            assertThat(fits(read.at(address, size), size)).as("%x", address).isTrue();
        } else {
            write.at(address, size, value());
        }
    }

    private static boolean fits(long value, int size) {
        return size == 8 || value >>> 8 * size == 0;
    }

    private int device(int first, int length) {
        return first + random.nextInt(length);
    }

    private int size() {
        return 1 << random.nextInt(4);
    }

    /** As a driver would go on, or not. */
    private int status() {
        return List.of(0, 1, 3, 11, 15, 15, 128, 255).get(random.nextInt(8));
    }

    /** Often an address in memory or the number of a queue. */
    private long value() {
        return switch (random.nextInt(3)) {
            case 0 -> random.nextInt(4);
            case 1 -> random.nextLong(MEMORY) & -4096;
            default -> FuzzTargets.odd(random);
        };
    }
}
