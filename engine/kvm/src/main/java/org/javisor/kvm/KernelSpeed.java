package org.javisor.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.javisor.device.Clock;
import org.javisor.device.SystemClock;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/**
 * How fast this host's KVM executes a guest's kernel, measured by a few thousand instructions in
 * ring 0.
 *
 * <p>Where the processor's virtualization is behind {@code /dev/kvm}, that is as fast as the
 * processor. Some hosts offer a KVM without it; it emulates what a guest's kernel does one
 * instruction at a time, a thousand times slower, and incompletely.
 *
 * @param millionsPerSecond instructions
 */
public record KernelSpeed(double millionsPerSecond) {
    /** Below this, in millions a second, instructions are emulated and not executed. */
    private static final double HARDWARE = 50;

    private static final int ITERATIONS = 2000;
    private static final int ATTEMPTS = 5;

    private static final int CODE = 0x1000, TABLES = 0x2000, MEMORY = 0x10000;

    /** MOV ECX, iterations; 1: DEC ECX; JNZ 1; OUT 10h, AL; JMP to the beginning */
    private static final int[] LOOP = {
        0xb9,
        ITERATIONS & 0xff,
        ITERATIONS >> 8,
        0,
        0,
        0xff,
        0xc9,
        0x75,
        0xfc,
        0xe6,
        0x10,
        0xeb,
        0xf3
    };

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** Whether the host's processor executes a guest's kernel itself. */
    public boolean hardware() {
        return millionsPerSecond >= HARDWARE;
    }

    /**
     * Measures: microseconds of time on hardware, some ten milliseconds elsewhere.
     *
     * @throws KvmException if KVM cannot be used here
     */
    public static KernelSpeed measure() {
        try (GuestMemory memory = GuestMemory.allocate(MEMORY);
                SystemClock clock =
                        new SystemClock("kvm-probe", () -> java.time.Instant.EPOCH, e -> {})) {
            for (int n = 0; n < LOOP.length; n++) {
                memory.write8(CODE + n, LOOP[n]);
            }
            // One page of a gigabyte would do, but not every processor has it.
            memory.write64(TABLES, TABLES + 0x1000 | 3);
            memory.write64(TABLES + 0x1000, TABLES + 0x2000 | 3);
            memory.write64(TABLES + 0x2000, 0x83);
            return measure(memory, clock);
        }
    }

    private static KernelSpeed measure(GuestMemory memory, Clock clock) {
        EndOfLoop end = new EndOfLoop();
        KvmHypervisor hypervisor = new KvmHypervisor();
        try (Vm vm = hypervisor.createVm(memory, clock)) {
            end.vcpu = vm.createVcpu(0, hypervisor.cpuid(), end);
            end.vcpu.setState(ringZero());
            end.vcpu.run();
            long best = Long.MAX_VALUE;
            for (int n = 0; n < ATTEMPTS; n++) {
                long begin = System.nanoTime();
                end.vcpu.run();
                best = Math.min(best, System.nanoTime() - begin);
                // What takes milliseconds is not a matter of luck.
                if (best > 10L * ITERATIONS * 1000 / (long) HARDWARE && n > 0) {
                    break;
                }
            }
            return new KernelSpeed(2.0 * ITERATIONS * 1000 / Math.max(1, best));
        }
    }

    private static VcpuState ringZero() {
        VcpuState s = new VcpuState();
        Arrays.fill(s.segments, new Segment(0x10, 0, -1, 0xc093));
        s.segments[VcpuState.CS] = new Segment(8, 0, -1, 0xa09b);
        s.segments[VcpuState.LDTR] = new Segment(0, 0, 0, 0x82);
        s.segments[VcpuState.TR] = new Segment(0x18, 0, 0x67, 0x8b);
        s.cr0 = 0x80050033L;
        s.cr3 = TABLES;
        s.cr4 = 0x620;
        s.efer = 0x500;
        s.rip = CODE;
        return s;
    }

    /** The port that tells of the loop's end. */
    private static final class EndOfLoop implements VcpuIo {
        private Vcpu vcpu;

        @Override
        public int readPort(int port, int size) {
            return -1;
        }

        @Override
        public void writePort(int port, int size, int value) {
            vcpu.requestExit();
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {}
    }

    /**
     * As {@link #measure}, but only once for each start of the host: the result is kept in a file
     * together with the kernel's boot ID.
     *
     * @param file is written if it can be
     * @throws KvmException if it has to be measured and KVM cannot be used here
     */
    public static KernelSpeed ofThisBoot(Path file) {
        OptionalDouble known = read(file);
        if (known.isPresent()) {
            return new KernelSpeed(known.getAsDouble());
        }
        KernelSpeed measured = measure();
        write(file, measured);
        return measured;
    }

    private static OptionalDouble read(Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() == 2 && lines.getFirst().equals(bootId())) {
                return OptionalDouble.of(Double.parseDouble(lines.getLast()));
            }
        } catch (IOException | RuntimeException e) {
            // Not there, or not ours: it is measured again.
        }
        return OptionalDouble.empty();
    }

    private static void write(Path file, KernelSpeed speed) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Path draft = Files.createTempFile(file.toAbsolutePath().getParent(), "kvm", null);
            Files.writeString(draft, bootId() + "\n" + speed.millionsPerSecond() + "\n");
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException e) {
            // Then it is measured the next time too.
        }
    }

    private static String bootId() throws IOException {
        return Files.readString(BOOT_ID).strip();
    }
}
