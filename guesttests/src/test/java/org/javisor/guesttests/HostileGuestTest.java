package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.EndReason;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.MachineEnd;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Guests that harm themselves: the machine reports it or can be stopped, and nothing else happens.
 */
@Tag("engine")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class HostileGuestTest {
    /** Far more than stopping takes on a busy host. */
    private static final Duration SOON = Duration.ofSeconds(30);

    /** How long a guest may do harm. */
    private static final Duration WHILE = Duration.ofMillis(100);

    private static final long SEED = Long.getLong("seed", 20260101);
    private static final int ROUNDS = Integer.getInteger("rounds", 12);

    @TempDir Path directory;

    private final Console console = new Console();

    private MachineConfig.Builder config(BareKernel kernel) {
        return MachineConfig.builder(kernel.in(directory))
                .engine(GuestEngine.require())
                .memory(16L << 20)
                .console(console);
    }

    private static MachineEnd stop(Machine machine) throws InterruptedException {
        machine.stop();
        Optional<MachineEnd> end = machine.awaitEnd(SOON);
        assertThat(end).as("ended").isPresent();
        return end.get();
    }

    /** Lets it run for a while, unless it ends by itself; then ends it. */
    private static MachineEnd runAndStop(MachineConfig.Builder config) throws InterruptedException {
        try (Machine machine = Machine.create(config.rebootOnReset(false).build())) {
            machine.start();
            machine.awaitEnd(WHILE);
            return stop(machine);
        }
    }

    @Test
    void reportsATripleFault_whenThereIsNoInterruptTable() throws InterruptedException {
        BareKernel kernel =
                new BareKernel()
                        .code(
                                0,
                                """
                                0f 01 1d 09 00 10 00  # lidt [0x100009]
                                0f 0b                 # ud2
                                """);
        try (Machine machine = Machine.create(config(kernel).build())) {
            machine.start();
            MachineEnd end = machine.awaitEnd(SOON).orElseThrow();
            assertThat(end.reason()).isEqualTo(EndReason.TRIPLE_FAULT);
            assertThat(end.detail()).isEqualTo("vCPU 0 at 0010:0000000000100007");
        }
    }

    @Test
    void stops_whenAllProcessorsLoopWithInterruptsOff() throws InterruptedException {
        BareKernel kernel =
                new BareKernel()
                        .code(
                                0,
                                """
                                be 2d 00 10 00     # mov esi, 0x10002d
                                bf 00 80 00 00     # mov edi, 0x8000
                                b9 09 00 00 00     # mov ecx, 9
                                f3 a4              # rep movsb
                                b8 00 03 e0 fe     # mov eax, 0xfee00300
                                c7 00 00 45 0c 00  # mov dword ptr [eax], 0xc4500: INIT to the others
                                c7 00 08 46 0c 00  # mov dword ptr [eax], 0xc4608: start-up at 0x8000
                                ba f8 03 00 00     # mov edx, 0x3f8
                                b0 78              # mov al, 'x'
                                ee                 # out dx, al
                                fa                 # cli
                                eb fe              # jmp $
                                ba f8 03           # 0x10002d, 16-bit code: mov dx, 0x3f8
                                b0 78              # mov al, 'x'
                                ee                 # out dx, al
                                fa                 # cli
                                eb fe              # jmp $
                                """);
        try (Machine machine = Machine.create(config(kernel).cpus(4).build())) {
            machine.start();
            console.await("xxxx", SOON);
            machine.pause();
            machine.resume();
            assertThat(stop(machine).reason()).isEqualTo(EndReason.STOPPED);
        }
    }

    @Test
    void holdsLittle_whenTheSerialPortIsFloodedAndNobodyReads() throws InterruptedException {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        MachineConfig.Builder config =
                config(flood())
                        .console(
                                (data, offset, length) -> {
                                    reading.countDown();
                                    awaitQuietly(go);
                                });
        try (Machine machine = Machine.create(config.build())) {
            machine.start();
            assertThat(reading.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
            machine.awaitEnd(WHILE);
            assertThat(machine.statistics().portAccesses().get("com1")).isLessThan(1 << 18);
            assertThat(stop(machine).reason()).isEqualTo(EndReason.STOPPED);
            go.countDown();
        }
    }

    @Test
    void stops_whenTheSerialPortIsFlooded() throws InterruptedException {
        assertThat(runAndStop(config(flood())).reason()).isEqualTo(EndReason.STOPPED);
    }

    private static BareKernel flood() {
        return new BareKernel()
                .code(
                        0,
                        """
                        ba f8 03 00 00  # mov edx, 0x3f8
                        b0 78           # mov al, 'x'
                        ee              # out dx, al
                        eb fd           # jmp to the out
                        """);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static long[] seeds() {
        return new Random(SEED).longs(ROUNDS).toArray();
    }

    /** No page tables, page tables in device registers, above all memory, in the kernel itself. */
    @ParameterizedTest
    @MethodSource("seeds")
    void endsOrStops_whenPageTablesPointAtNowhere(long seed) throws InterruptedException {
        Random random = new Random(seed);
        int[] places = {0, 0xfffff000, 0xfee00000, 0xfec00000, 0x01000000, 0x00fff000, 0x100000};
        int[] modes = {0, 1 << 4, 1 << 5, 1 << 5 | 1 << 7};
        int place = places[random.nextInt(places.length)] | random.nextInt(4) << 3;
        int mode = modes[random.nextInt(modes.length)];
        int efer = (mode & 1 << 5) != 0 && random.nextBoolean() ? 0x900 : 0;
        BareKernel kernel =
                new BareKernel()
                        .code(
                                0,
                                """
                                b9 80 00 00 c0  # mov ecx, 0xc0000080
                                31 d2           # xor edx, edx
                                b8 %s           # mov eax, ...
                                0f 30           # wrmsr: EFER
                                b8 %s           # mov eax, ...
                                0f 22 e0        # mov cr4, eax
                                b8 %s           # mov eax, ...
                                0f 22 d8        # mov cr3, eax
                                b8 11 00 00 80  # mov eax, PG | ET | PE
                                0f 22 c0        # mov cr0, eax
                                eb fe           # jmp $
                                """
                                        .formatted(bytes(efer), bytes(mode), bytes(place)))
                        .random(0x1000, 0x1000, random);
        assertThat(runAndStop(config(kernel)).reason())
                .isIn(EndReason.TRIPLE_FAULT, EndReason.STOPPED);
    }

    private static String bytes(int value) {
        return "%08x".formatted(Integer.reverseBytes(value));
    }

    /** Jumps to random bytes, and whatever exception comes of it, to the next ones. */
    @ParameterizedTest
    @MethodSource("seeds")
    void endsOrStops_whenItExecutesGarbage(long seed) throws InterruptedException {
        BareKernel kernel =
                new BareKernel()
                        .gates(0x10)
                        .code(0, BareKernel.LOAD_GATES)
                        .code(
                                0x10,
                                """
                                bc 00 00 30 00        # mov esp, 0x300000
                                a1 00 90 10 00        # mov eax, [0x109000]
                                05 ff 04 00 00        # add eax, 1279
                                a3 00 90 10 00        # mov [0x109000], eax
                                25 ff ff 03 00        # and eax, 0x3ffff
                                05 00 00 11 00        # add eax, 0x110000
                                ff e0                 # jmp eax
                                """)
                        .bytes(0x10000, garbage(new Random(seed)));
        assertThat(runAndStop(config(kernel)).reason()).isNotEqualTo(EndReason.FAILURE);
    }

    /** Random bytes but for HLT, which would end the experiment. */
    private static byte[] garbage(Random random) {
        byte[] bytes = new byte[0x50000];
        random.nextBytes(bytes);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = bytes[i] == (byte) 0xf4 ? (byte) 0x0f : bytes[i];
        }
        return bytes;
    }

    /** With all interrupts admitted, on every chip there is. */
    @ParameterizedTest
    @MethodSource("seeds")
    void endsOrStops_whenItProgramsDevicesAtRandom(long seed) throws InterruptedException {
        Random random = new Random(seed);
        BareKernel kernel =
                new BareKernel()
                        .gates(0x20)
                        .gate(13, 0x30)
                        .code(0, BareKernel.LOAD_GATES)
                        .code(
                                7,
                                """
                                fb              # sti
                                e9 f3 ff 00 00  # jmp 0x110000
                                """)
                        .code(0x20, "cf  # iretd")
                        .code(
                                0x30,
                                """
                                83 c4 04     # add esp, 4
                                83 04 24 02  # add dword ptr [esp], 2: past the wrmsr
                                cf           # iretd
                                """)
                        .bytes(0x10000, deviceAccesses(random));
        assertThat(runAndStop(config(kernel)).reason())
                .isIn(
                        EndReason.STOPPED,
                        EndReason.TRIPLE_FAULT,
                        EndReason.POWER_OFF,
                        EndReason.RESET);
    }

    /** Not those that reset the machine or switch it off: it is to run on. */
    private static final int[] PORTS = {
        0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0x3f8,
        0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x2f8, 0x2f9, 0x2fb, 0x2fc, 0x600, 0x602, 0x608, 0x620, 0x60
    };

    private static byte[] deviceAccesses(Random random) {
        ByteBuffer code = ByteBuffer.allocate(0x40000).order(ByteOrder.LITTLE_ENDIAN);
        while (code.remaining() > 64) {
            int value = random.nextInt() >>> (random.nextBoolean() ? 24 : 0);
            code.put((byte) 0xb8).putInt(value); // mov eax, value
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> port(code, random);
                case 4 -> memory(code, 0xfee00000 | random.nextInt(0x40) << 4, random);
                case 5 -> {
                    memory(code, 0xfec00000, random);
                    memory(code, 0xfec00010, random);
                }
                case 6 -> modelSpecific(code, random);
                default -> memory(code, 0xfec00000 | random.nextInt(0x300000), random);
            }
        }
        int end = code.position();
        return code.put((byte) 0xe9).putInt(-end - 5).array(); // jmp to the first
    }

    private static void port(ByteBuffer code, Random random) {
        int port = PORTS[random.nextInt(PORTS.length)];
        code.put((byte) 0xba).putInt(port); // mov edx, port
        byte[] forms = {(byte) 0xec, (byte) 0xed, (byte) 0xee, (byte) 0xee, (byte) 0xef};
        code.put(forms[random.nextInt(forms.length)]); // in al/eax, dx; out dx, al/eax
    }

    private static void memory(ByteBuffer code, int address, Random random) {
        boolean read = random.nextInt(4) == 0;
        code.put((byte) (read ? 0xa1 : 0xa3)).putInt(address); // mov eax, [address] and back
        if (!read) {
            code.put((byte) 0xb8).putInt(random.nextInt()); // mov eax, value
        }
    }

    private static void modelSpecific(ByteBuffer code, Random random) {
        boolean x2apic = random.nextInt(4) != 0;
        int register = x2apic ? 0x800 + random.nextInt(0x40) : random.nextInt(0x400);
        code.put((byte) 0xb9).putInt(register); // mov ecx, register
        code.put((byte) 0x31).put((byte) 0xd2); // xor edx, edx
        code.put((byte) 0x0f).put((byte) (random.nextBoolean() ? 0x30 : 0x32)); // wrmsr, rdmsr
    }
}
